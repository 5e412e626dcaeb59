"""Static embeddings: the mean of a text's token vectors, from a table that ships in a wheel. No network, no GPU.

The table is WordLlama's `l2_supercat_256` (MIT): 32,000 tokens, 256 dimensions, trained so that the plain mean is a
good embedding of English. Texts in other languages fall apart into few known tokens; they are still told from one
another, less finely.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.sparse import csr_array
from tokenizers import Tokenizer

from spanwise_evaluators.reading.languages import readable
from spanwise_evaluators.reading.wheels import data_file

DIMENSIONS: Final = 256
MAX_TOKENS: Final = 256
BATCH: Final = 4_096
"""Texts that are tokenised at once; bounds the memory that a call takes."""
_MAX_CHARACTERS: Final = 4_096
"""No text needs more for its first `MAX_TOKENS` tokens; the tokenizer's work grows faster than the text."""

Floats = NDArray[np.float32]


class Embedder:
    """Turns texts into unit vectors. Thread-safe.

    Args:
        tokenizer: of the table.
        table: token vectors, float32 [tokens, dimensions].
    """

    def __init__(self, tokenizer: Tokenizer, table: Floats) -> None:
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._table = table

    @classmethod
    @cache
    def load(cls) -> Self:
        """The embedder with the installed table: about 0.2 s and 50 MB, once per process.

        Raises:
            DataFileError: the wheel with the table is not installed.
        """
        tokens = data_file("wordllama", "tokenizers/l2_supercat_tokenizer_config.json", "wordllama")
        weights = data_file("wordllama", "weights/l2_supercat_256.safetensors", "wordllama")
        table = load_file(weights)["embedding.weight"].astype(np.float32)
        return cls(Tokenizer.from_file(str(tokens)), table)

    def embed(self, texts: Sequence[str]) -> Floats:
        """One row per text, of length 1; zeros for a text without tokens.

        Args:
            texts: of any length; what follows the first `MAX_TOKENS` tokens is ignored.
        """
        rows = [self._embed(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return np.concatenate(rows) if rows else np.zeros((0, self._table.shape[1]), np.float32)

    def _embed(self, texts: Sequence[str]) -> Floats:
        shortened = [readable(text, _MAX_CHARACTERS) for text in texts]
        found = [one.ids for one in self._tokenizer.encode_batch_fast(shortened, add_special_tokens=False)]
        lengths = np.fromiter(map(len, found), np.int64, len(found))
        tokens = np.fromiter(chain.from_iterable(found), np.int32, int(lengths.sum()))
        counts = csr_array(
            (np.ones(len(tokens), np.float32), tokens, np.concatenate([[0], np.cumsum(lengths)])),
            shape=(len(found), self._table.shape[0]),
        )
        sums: Floats = counts @ self._table
        return unit(sums)


def unit(rows: Floats) -> Floats:
    """Rows of length 1; rows of zeros stay zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
