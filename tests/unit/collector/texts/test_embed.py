"""Static embeddings from the installed wheel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.texts.embed import DIMENSIONS, Embedder
from spanwise_evaluators.reading.wheels import DataFileError, data_file


def test_near_in_meaning_is_near() -> None:
    """Two ways to ask for the same thing are nearer to each other than to something else."""
    card, again, weather = Embedder.load().embed(
        ["my card has not arrived yet", "when will I receive my new card?", "will it rain in Oslo tomorrow?"]
    )

    assert card @ again > 0.5 > card @ weather


@given(st.lists(st.text(max_size=300), max_size=8))
def test_any_text_has_a_vector(texts: list[str]) -> None:
    """Every text gets a row of length 1, or of zeros where it has no tokens, whatever stands beside it."""
    rows = Embedder.load().embed(texts)
    lengths = np.linalg.norm(rows, axis=1)

    assert (len(texts), DIMENSIONS) == rows.shape
    assert np.float32 == rows.dtype
    assert all(abs(length - 1) < 1e-5 if text else length == 0 for text, length in zip(texts, lengths, strict=True))
    for text, row in zip(texts, rows, strict=True):
        assert np.allclose(row, Embedder.load().embed([text])[0], atol=1e-6)


def test_what_is_not_text() -> None:
    """A lone surrogate from a broken client is taken for a question mark."""
    broken, mended = Embedder.load().embed(["half \ud83d emoji", "half ? emoji"])

    assert np.array_equal(broken, mended)


def test_long_texts_are_cut() -> None:
    """What follows the first 256 tokens makes no difference."""
    long, longer = Embedder.load().embed(["word " * 300, "word " * 300 + "and much else " * 10_000])

    assert np.array_equal(long, longer)


def test_a_missing_wheel() -> None:
    """Without the package, or its file, the message says what to install."""
    with pytest.raises(DataFileError, match=r"no-such is not installed: pip install 'spanwise\[collector\]'"):
        data_file("no_such_package", "table", "no-such")
    with pytest.raises(DataFileError, match=r"numpy is installed without table: pip install --force-reinstall"):
        data_file("numpy", "table", "numpy")
