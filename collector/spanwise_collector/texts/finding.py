"""What is said of a project's texts: findings and their sentences. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from spanwise_collector.query.window import Window
from spanwise_collector.texts.explain import Change, Group, GroupKind
from spanwise_collector.texts.stored import Side, Text
from spanwise_collector.texts.words import Word

Verdict = Literal["compared", "no_reference", "too_few"]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A group of texts whose share moved, for people.

    Attributes:
        kind: a cluster of the reference, the neighbourhood of a known text, or a new group of unknown texts.
        label: its most telling words, or its most typical text.
        change: of its share.
        z: standardised change.
        examples: up to five different texts, the most typical first.
        trace_ids: of the examples, as hex.
        words: that tell it from the window's other texts.
        began: start of the 6 hours since which its share is another one; None where that cannot be said.
        sentence: what happened, in words.
    """

    kind: GroupKind
    label: str
    change: Change
    z: float
    examples: tuple[str, ...]
    trace_ids: tuple[str, ...]
    words: tuple[Word, ...]
    began: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class TextFinding:
    """The texts of one side, compared.

    Attributes:
        side: inputs or outputs.
        verdict: whether they could be compared; all that follows is empty if not.
        detail: how they were compared, or why not.
        window: from the first to the last text that counts.
        n: how many texts that were.
        n_reference: how many the reference was fitted on.
        p_value: how often a day like the reference's looks at least as different; calibrated.
        p_values: of each statistic by itself.
        direction: `up` where more texts are unlike anything known, or a group has grown; `down` where one has shrunk.
        novelty: the share of texts unlike anything known.
        change: of what moved most surely, the novelty or a cluster.
        clusters: groups that moved, the most certain first; where the p-value is small only, as all that follows.
        words_up: used more than in the reference.
        words_down: used less.
        began: since when, microseconds since the epoch.
        sentence: what happened, in words.
    """

    side: Side
    verdict: Verdict
    detail: str
    window: Window
    n: int = 0
    n_reference: int = 0
    p_value: float = 1.0
    p_values: tuple[tuple[str, float], ...] = ()
    direction: Literal["up", "down", "changed"] = "changed"
    novelty: Change | None = None
    change: Change | None = None
    clusters: tuple[Cluster, ...] = ()
    words_up: tuple[Word, ...] = ()
    words_down: tuple[Word, ...] = ()
    began: int | None = None
    sentence: str = ""


def cluster_of(side: Side, group: Group, texts: Sequence[Text], began: int | None) -> Cluster:
    """A group for people, with the texts that show what it is."""
    examples = [texts[place] for place in group.examples]
    label = ", ".join(word.word for word in group.words) or (examples[0].text[:60] if examples else "no texts now")
    return Cluster(
        kind=group.kind,
        label=label,
        change=group.change,
        z=group.z,
        examples=tuple(one.text for one in examples),
        trace_ids=tuple(one.trace_id.hex() for one in examples),
        words=group.words,
        began=began,
        sentence=_group_sentence(side, group, label),
    )


def novelty_sentence(side: Side, change: Change) -> str:
    """What the share of unknown texts has become."""
    return (
        f"{change.after:.1%} of the {side}s are unlike anything known, where {change.before:.1%} is usual "
        f"({_points(change)})."
    )


def _group_sentence(side: Side, group: Group, label: str) -> str:
    change = group.change
    if group.kind == "new":
        return f"A new group of {side}s ({label}): {change.after:.1%}, {change.before:.1%} before ({_points(change)})."
    verb = "grown" if change.difference > 0 else "shrunk"
    return (
        f"A group of {side}s ({label}) has {verb} from {change.before:.1%} to {change.after:.1%} ({_points(change)})."
    )


def _points(change: Change) -> str:
    return (
        f"{100 * change.difference:+.1f} percentage points, 95 % interval "
        f"{100 * change.low:+.1f} to {100 * change.high:+.1f}"
    )
