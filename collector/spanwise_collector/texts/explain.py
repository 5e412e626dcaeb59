"""What a person can check about a drift: groups of texts whose share moved, with examples and words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from spanwise_collector.texts.drift import Baseline, Comparison
from spanwise_collector.texts.embed import Floats, unit
from spanwise_collector.texts.kmeans import kmeans, nearest
from spanwise_collector.texts.reference import SHOWN_LEVEL, Layout, Placed, ReferenceModel
from spanwise_collector.texts.words import Word, moved_words

GroupKind = Literal["cluster", "neighbourhood", "new"]
EXAMPLES: Final = 5
GROUPS: Final = 5
SHOWN_Z: Final = 3.2
"""A cluster or a new group is shown from here on: two-sided 5 % over 32 of them."""
MIN_MEMBERS: Final = 5
_MEMBERS_INSIDE: Final = 0.8
"""A new group reaches as far as this share of the texts that made it."""
_WORDS: Final = 5
_Z: Final = 1.96

Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Change:
    """How a share of the texts moved.

    Attributes:
        before: share in the reference.
        after: share in the window.
        low: of `after - before`, the lower end of its 95 % interval, days' differences included.
        high: the upper end.
    """

    before: float
    after: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """`after - before`."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Group:
    """Texts that belong together and whose share moved.

    Attributes:
        kind: a cluster of the reference, the neighbourhood of a known text, or a new group of unknown texts.
        number: of the cluster or the known text; of the new group by size, from 0 on.
        change: of its share.
        z: standardised change.
        examples: places in the window of up to five different texts, the most typical first.
        words: that tell it from the window's other texts.
        members: which of the window's texts belong to it.
    """

    kind: GroupKind
    number: int
    change: Change
    z: float
    examples: tuple[int, ...]
    words: tuple[Word, ...]
    members: Booleans


def novelty_change(model: ReferenceModel, usual: Baseline, compared: Comparison) -> Change:
    """The share of texts unlike anything known: of the reference's own, 5 % are."""
    return _change(float(model.usual[0]), compared.mean[0], usual.sd[0], usual.n)


def moved_groups(
    model: ReferenceModel,
    usual: Baseline,
    compared: Comparison,
    placed: Placed,
    texts: Sequence[str],
    rng: np.random.Generator,
) -> list[Group]:
    """The groups that say what moved, the most certain first, at most `GROUPS` of each kind.

    Args:
        model: the reference.
        usual: its baseline.
        compared: the window's comparison.
        placed: the window's texts in terms of the reference.
        texts: the window's texts, in the same order.
        rng: seeds the new groups.
    """
    found = [
        *_clusters(model, usual, compared, placed, texts),
        *_neighbourhood(model, usual, compared, placed, texts),
        *_new(model, usual, placed, texts, rng),
    ]
    return sorted(found, key=lambda group: -abs(group.z))


def _clusters(
    model: ReferenceModel, usual: Baseline, compared: Comparison, placed: Placed, texts: Sequence[str]
) -> list[Group]:
    part = Layout.of(model).clusters
    z = compared.z[part]
    found = []
    for number in np.argsort(-np.abs(z))[:GROUPS]:
        if abs(z[number]) < SHOWN_Z:
            break
        place = part.start + int(number)
        change = _change(float(model.usual[place]), compared.mean[place], usual.sd[place], usual.n)
        closeness = placed.position @ model.centres[number]
        members = placed.cluster == number
        found.append(_group("cluster", int(number), change, float(z[number]), members, closeness, texts))
    return found


def _neighbourhood(
    model: ReferenceModel, usual: Baseline, compared: Comparison, placed: Placed, texts: Sequence[str]
) -> list[Group]:
    """Around the known text near which most was added, where that is what stands out."""
    if compared.p_values["neighbourhood"] > 0.05:
        return []
    z = compared.z[Layout.of(model).neighbourhoods]
    number = int(z.argmax())
    centre = model.known_positions()[number]
    closeness = placed.position @ centre
    members = closeness >= model.near[SHOWN_LEVEL, number]
    inside = model.sampled().position @ centre >= model.near[SHOWN_LEVEL, number]
    change = _counted_change(model, usual, inside, members)
    return [_group("neighbourhood", number, change, float(z[number]), members, closeness, texts)]


def _new(
    model: ReferenceModel, usual: Baseline, placed: Placed, texts: Sequence[str], rng: np.random.Generator
) -> list[Group]:
    """Groups of the texts that are unlike anything known, where their share has grown."""
    novel = placed.position[placed.similarity < model.novel_below[0]]
    if len(novel) < MIN_MEMBERS:
        return []
    centres = kmeans(novel, min(GROUPS, len(novel) // MIN_MEMBERS), rng)
    own, near = nearest(novel, centres)
    sample = model.sampled()
    found = []
    for number, centre in enumerate(centres):
        reach = np.quantile(near[own == number], 1.0 - _MEMBERS_INSIDE)
        closeness = placed.position @ centre
        unknown = placed.similarity < model.novel_below[0]
        members = (closeness >= reach) & unknown
        before = (sample.position @ centre >= reach) & (sample.similarity < model.novel_below[0])
        change = _counted_change(model, usual, before, members)
        z = change.difference / max((change.high - change.low) / (2 * _Z), 1e-9)
        if z >= SHOWN_Z and members.sum() >= MIN_MEMBERS:
            found.append(_group("new", number, change, z, members, closeness, texts))
    return found


def _group(
    kind: GroupKind,
    number: int,
    change: Change,
    z: float,
    members: Booleans,
    closeness: Floats,
    texts: Sequence[str],
) -> Group:
    inside = np.flatnonzero(members)
    examples: dict[str, int] = {}
    for place in map(int, inside[np.argsort(-closeness[inside], kind="stable")]):
        if len(examples) == EXAMPLES:
            break
        examples.setdefault(" ".join(texts[place].lower().split()), place)
    others = [text for text, member in zip(texts, members, strict=True) if not member]
    more, _ = moved_words(others, [text for text, member in zip(texts, members, strict=True) if member], top=_WORDS)
    return Group(kind, number, change, z, tuple(examples.values()), tuple(more), members)


def _counted_change(model: ReferenceModel, usual: Baseline, before: Booleans, after: Booleans) -> Change:
    """A change of a share that is no column of the model: counting error, widened as that of novelty is by days."""
    old, new = float(before.mean()), float(after.mean())
    counting = np.sqrt(max(old * (1 - old), 1 / usual.n) * (1 / usual.n + 1 / len(before)))
    share = float(model.usual[0])
    novelty = share * (1 - share) * (1 / usual.n + 1 / model.n_fit)
    widened = max(1.0, float(usual.sd[0] / np.sqrt(novelty))) if novelty > 0 else 1.0
    return _change(old, new, float(counting * widened), usual.n)


def _change(before: float, after: float, sd: float, n: int) -> Change:
    """The interval has the window's own counting error in place of the reference's."""
    variance = sd**2 + (after * (1 - after) - before * (1 - before)) / n
    reach = _Z * float(np.sqrt(max(variance, sd**2 / 4)))
    return Change(float(before), float(after), float(after - before - reach), float(after - before + reach))


def group_members(model: ReferenceModel, group: Group, placed: Placed, window: Placed) -> Booleans:
    """Which of any texts belong to a group that was found in a window.

    Args:
        model: the reference.
        group: one of `moved_groups`.
        placed: the texts to ask about.
        window: the window's texts, from which a new group takes its middle.
    """
    if group.kind == "cluster":
        same: Booleans = placed.cluster == group.number
        return same
    if group.kind == "neighbourhood":
        centre = model.known_positions()[group.number]
        near: Booleans = placed.position @ centre >= model.near[SHOWN_LEVEL, group.number]
        return near
    inside = window.position[group.members]
    centre = unit(inside.mean(axis=0, keepdims=True))[0]
    reach = float((inside @ centre).min())
    found: Booleans = (placed.position @ centre >= reach) & (placed.similarity < model.novel_below[0])
    return found
