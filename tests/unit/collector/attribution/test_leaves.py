"""Leaf counts."""

import numpy as np
import pytest

from spanwise_collector.attribution.leaves import MAX_VALUES, OTHER, Leaves, Moments
from spanwise_collector.attribution.model import Slice


def test_values_are_capped() -> None:
    """Of many values the frequent ones stay, and a rare one that moved; the rest is one value, and no event is lost."""
    size = 200
    n = 1000.0 - np.arange(size, dtype=np.float64)
    before, after = Moments(n, n * 0.01, n * 0.01), Moments(n, n * 0.01, n * 0.01)
    after.total[180] = 500.0

    leaves = Leaves.of([("user_group", [f"g{place}" for place in range(size)])], before, after)

    kept = leaves.values[0]
    assert len(kept) == MAX_VALUES
    assert {"g0", "g39", "g180", OTHER} <= set(kept)
    assert "g100" not in kept
    assert leaves.before.by(leaves.codes[:, 0], MAX_VALUES).n.sum() == n.sum()


def test_members() -> None:
    """A slice's members have all its values; a value that is not there is an error."""
    ones = np.ones(4)
    leaves = Leaves.of([("a", "xxyy"), ("b", "uvuv")], Moments(ones, ones, ones), Moments(ones, ones, ones))

    assert leaves.members(Slice((("a", "x"), ("b", "v")))).tolist() == [False, True, False, False]
    assert leaves.members(Slice()).all()
    with pytest.raises(ValueError, match="not in tuple"):
        leaves.members(Slice((("a", "z"),)))
