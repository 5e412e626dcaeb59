"""Preference pairs out of two experiments: of one item the better answer and the worse one. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from spanwise_collector.datasets.export import Exported, lines, preference
from spanwise_schemas.api_experiments import ItemResult


def preference_pairs(
    first: Iterable[ItemResult],
    second: Iterable[ItemResult],
    metric: str,
    *,
    lower_is_better: bool = False,
    margin: float = 0.0,
) -> Exported:
    """A pair for each item that both have with a score and an output, in the order of the first.

    Args:
        first: results of one experiment.
        second: of the other.
        metric: the score that decides.
        lower_is_better: of it less is better.
        margin: so much better, at least, has an answer to be, in the metric's unit; equal ones never make a pair.

    Returns:
        JSONL as DPO trainers read it; items of either experiment without a pair are counted as left out: ties, errors,
        and those that only one has. Of several runs of an item the first that was scored counts.
    """
    ours, theirs = _scored(first, metric), _scored(second, metric)
    sign = -1 if lower_is_better else 1
    rows: list[Mapping[str, Any]] = []
    for item_id, one in ours.items():
        other = theirs.get(item_id)
        if other is None or not (_counts(one, metric) and _counts(other, metric)):
            continue
        gain = sign * (one.scores[metric] - other.scores[metric])
        if not gain or abs(gain) < margin or one.output == other.output:
            continue
        chosen, rejected = (one, other) if gain > 0 else (other, one)
        rows.append(preference(one.input, chosen.output, rejected.output))
    return Exported(lines(rows), len(rows), len(ours.keys() | theirs.keys()) - len(rows))


def _scored(results: Iterable[ItemResult], metric: str) -> dict[str, ItemResult]:
    found: dict[str, ItemResult] = {}
    for one in results:
        if one.item_id not in found or (_counts(one, metric) and not _counts(found[one.item_id], metric)):
            found[one.item_id] = one
    return found


def _counts(one: ItemResult, metric: str) -> bool:
    return metric in one.scores and one.output not in (None, "")
