"""What a project's texts are compared with: clusters, known texts, and a sample of the days.

A text becomes a row of bounded numbers, all of which are averaged over a window:

- novelty: 1 where the cosine to the nearest of up to 2,000 known texts is below the reference's 5 %, 2 % or 1 %
  quantile;
- cluster: 1 for the nearest of up to 32 centres;
- neighbourhood: for each known text, how close this one is to it: the sum of 1[u <= level] over levels of u, the
  share of the reference that is at least as close, weighted so that it follows 1 / (u + 0.005). One intent that
  grows lifts the known texts in its middle, whether or not a cluster has its shape;
- position: the embedding less the reference's mean, at length 1 (the mean of a window is its centroid).
"""

import base64
import json
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from spanwise_collector.texts.days import DaySpread
from spanwise_collector.texts.embed import Floats, unit
from spanwise_collector.texts.kmeans import nearest

FORMAT: Final = 1
"""Of the stored model; another one is not read but fitted anew."""
FINE_GROUPS: Final = 96
LEVELS: Final = (0.0025, 0.005, 0.01, 0.02, 0.04, 0.08)
SHOWN_LEVEL: Final = 3
"""Index in `LEVELS` of the neighbourhood that is shown to people: the nearest 2 %."""
_EDGE: Final = 0.005

Integers = NDArray[np.int64]


class ModelFormatError(ValueError):
    """A stored model is not of this version's format."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Texts in terms of a reference.

    Attributes:
        position: unit vectors [n, dimensions].
        cluster: the nearest centre [n].
        similarity: cosine of the embeddings to the nearest known text [n].
    """

    position: Floats
    cluster: Integers
    similarity: Floats


@dataclass(frozen=True, slots=True)
class ReferenceModel:
    """A fitted reference.

    Attributes:
        mean: of the embeddings [dimensions].
        centres: of the clusters, unit vectors among the positions [clusters, dimensions].
        novel_below: cosines, one for each level of novelty, the 5 % quantile first.
        near: how close the nearest `LEVELS` of the texts are to each known one [levels, known texts].
        usual: the average of each of `columns` over all texts.
        variance: of each of them between texts.
        day_variance: what each one's average over a day varies beyond counting noise.
        broad_days: see `DaySpread.broad`; the groups are the clusters, and texts unlike anything known [days, groups].
        fine_days: see `DaySpread.fine`; the groups are those of the nearest of the first known texts [days, groups].
        n_fit: how many texts that are.
        sample: embeddings of reference texts, float16, the known texts first [m, dimensions].
        sample_similarity: theirs to the nearest known text other than themselves [m].
        sample_day: number of the day that each is of, from 0 on [m].
    """

    mean: Floats
    centres: Floats
    novel_below: Floats
    near: Floats
    usual: Floats
    variance: Floats
    day_variance: Floats
    broad_days: Floats
    fine_days: Floats
    n_fit: int
    sample: NDArray[np.float16]
    sample_similarity: Floats
    sample_day: NDArray[np.int32]

    @property
    def n_days(self) -> int:
        """Of how many days the sample is."""
        return int(self.sample_day.max()) + 1

    @property
    def spread(self) -> DaySpread | None:
        """How the days differ; None where nothing is known of it."""
        if not len(self.broad_days):
            return None
        return DaySpread(self.broad_days.astype(np.float64), self.fine_days.astype(np.float64))

    def groups(self, placed: Placed) -> tuple[Integers, Integers]:
        """The broad and the fine group of texts, by which days are told apart."""
        broad = np.where(placed.similarity < self.novel_below[0], len(self.centres), placed.cluster)
        return broad, nearest(placed.position, self.known_positions()[:FINE_GROUPS])[0]

    @property
    def n_known(self) -> int:
        """How many texts are known one by one."""
        return int(self.near.shape[1])

    def place(self, embeddings: Floats) -> Placed:
        """Texts in terms of this reference; `embeddings` are unit vectors [n, dimensions]."""
        known = self.sample[: self.n_known].astype(np.float32)
        return self._placed(embeddings, nearest(embeddings, known)[1])

    def sampled(self) -> Placed:
        """The reference's own sample."""
        return self._placed(self.sample.astype(np.float32), self.sample_similarity)

    def known_positions(self) -> Floats:
        """Positions of the known texts [known texts, dimensions]."""
        return unit(self.sample[: self.n_known].astype(np.float32) - self.mean)

    def _placed(self, embeddings: Floats, similarity: Floats) -> Placed:
        position = unit(embeddings - self.mean)
        return Placed(position, nearest(position, self.centres)[0], similarity)

    def to_text(self) -> str:
        """As JSON with the arrays in base64."""
        arrays = {name: getattr(self, name) for name in _TYPES}
        return json.dumps(
            {
                "format": FORMAT,
                "n_fit": self.n_fit,
                **{
                    name: {
                        "shape": array.shape,
                        "data": base64.b64encode(array.astype(_TYPES[name]).tobytes()).decode(),
                    }
                    for name, array in arrays.items()
                },
            }
        )

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What `to_text` wrote.

        Raises:
            ModelFormatError: it is of another format.
        """
        stored = json.loads(text)
        if stored.get("format") != FORMAT:
            raise ModelFormatError(f"format {stored.get('format')}, not {FORMAT}")
        return cls(
            n_fit=stored["n_fit"],
            **{
                name: np.frombuffer(base64.b64decode(stored[name]["data"]), kind).reshape(stored[name]["shape"])
                for name, kind in _TYPES.items()
            },
        )


_TYPES: Final = {
    "mean": "<f4",
    "centres": "<f4",
    "novel_below": "<f4",
    "near": "<f4",
    "usual": "<f4",
    "variance": "<f4",
    "day_variance": "<f4",
    "broad_days": "<f4",
    "fine_days": "<f4",
    "sample": "<f2",
    "sample_similarity": "<f4",
    "sample_day": "<i4",
}


def columns(model: ReferenceModel, placed: Placed, *, known_first: bool = False) -> Floats:
    """The rows of numbers that are averaged: see the module and `Layout`.

    Args:
        model: the reference.
        placed: texts in its terms.
        known_first: they begin with the known texts, none of which counts in its own neighbourhood.
    """
    layout = Layout.of(model)
    found = np.zeros((len(placed.cluster), layout.width), np.float32)
    for place, below in enumerate(model.novel_below):
        found[:, place] = placed.similarity < below
    found[np.arange(len(found)), layout.clusters.start + placed.cluster] = 1.0
    likeness = placed.position @ model.known_positions().T
    if known_first:
        likeness[np.arange(model.n_known), np.arange(model.n_known)] = -1.0
    within = np.zeros(likeness.shape, np.uint8)
    for near in model.near:
        within += likeness >= near
    found[:, layout.neighbourhoods] = _scores()[within]
    found[:, layout.position] = placed.position
    return found


def _scores() -> Floats:
    """What a text counts that is within none, one, and up to all of the levels: about 1 / (u + 0.005), from 0 on."""
    inwards = [0.0, *(1.0 / (level + _EDGE) for level in reversed(LEVELS))]
    return np.array(inwards, np.float32)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns of each kind are."""

    novelty: slice
    clusters: slice
    neighbourhoods: slice
    position: slice
    width: int

    @classmethod
    def of(cls, model: ReferenceModel) -> Self:
        """The layout of a model's columns."""
        novelty, clusters = len(model.novel_below), len(model.novel_below) + len(model.centres)
        known = clusters + model.n_known
        width = known + len(model.mean)
        return cls(slice(0, novelty), slice(novelty, clusters), slice(clusters, known), slice(known, width), width)

    def parts(self) -> tuple[slice, slice, slice, slice]:
        """All columns, by kind, in order."""
        return self.novelty, self.clusters, self.neighbourhoods, self.position
