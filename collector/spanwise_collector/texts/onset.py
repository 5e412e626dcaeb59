"""Since when a group of texts has had another share."""

from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spanwise_collector.texts.explain import Booleans

MIN_GAIN: Final = 3.0
"""How much likelier a start must be than no change, in natural logarithms."""


def first_out(members: Booleans, blocks: NDArray[np.int64], usual_share: float) -> int | None:
    """The block from which on a group's share is another one: the likeliest change point of a binomial share.

    Args:
        members: which texts belong to the group.
        blocks: block of each text (6 hours, say), as increasing numbers; in any order.
        usual_share: the group's share before.

    Returns:
        The number of the block, or None where no start fits much better than no change.
    """
    usual = min(max(usual_share, 1e-4), 1 - 1e-4)
    best, found = MIN_GAIN, None
    hits = texts = 0
    numbers, of_block = np.unique(blocks, return_inverse=True)
    sizes = np.bincount(of_block, minlength=len(numbers))
    inside = np.bincount(of_block, weights=members.astype(np.float64), minlength=len(numbers))
    for place in range(len(numbers) - 1, -1, -1):
        hits += int(inside[place])
        texts += int(sizes[place])
        gain = _gain(hits, texts, usual)
        if gain > best:
            best, found = gain, int(numbers[place])
    return found


def _gain(hits: int, texts: int, usual: float) -> float:
    share = hits / texts
    inside = hits * log(share / usual) if hits else 0.0
    outside = (texts - hits) * log((1 - share) / (1 - usual)) if texts > hits else 0.0
    return inside + outside
