"""Since when a share is another one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.texts.onset import first_out


def test_a_step() -> None:
    """A share that doubles from a block on is dated to that block, in whatever order the texts come."""
    blocks = np.repeat(np.arange(100, 112), 200)
    members = np.concatenate([np.arange(200) < (20 if block < 107 else 40) for block in range(100, 112)])
    order = np.random.default_rng(1).permutation(len(blocks))

    assert 107 == first_out(members[order], blocks[order], 0.1)


def test_no_step() -> None:
    """A share that is as it was has no start; one that was never seen and still is not neither."""
    blocks = np.repeat(np.arange(10), 100)

    assert first_out(np.tile(np.arange(100) < 10, 10), blocks, 0.1) is None
    assert first_out(np.zeros(1_000, np.bool_), blocks, 0.0) is None


def test_downwards() -> None:
    """A group that vanishes is dated as well."""
    blocks = np.repeat(np.arange(8), 100)
    members = np.concatenate([np.arange(100) < (20 if block < 5 else 0) for block in range(8)])

    assert 5 == first_out(members, blocks, 0.2)


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 9), st.floats(0, 1))
def test_any_texts(members: list[bool], in_a_block: int, usual: float) -> None:
    """The answer is one of the blocks, or none."""
    blocks = np.arange(len(members)) // in_a_block
    found = first_out(np.array(members), blocks, usual)

    assert found is None or found in set(blocks)
