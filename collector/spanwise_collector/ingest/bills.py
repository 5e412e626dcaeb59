"""Which spans of one batch bear no bill because another one of the batch does; see `normalise.settle`."""

from collections import Counter
from collections.abc import Sequence, Set
from operator import itemgetter
from typing import Any, Final

from spanwise_collector.normalise.columns import SPANS, Row
from spanwise_collector.normalise.settle import Call, is_own, not_bearing
from spanwise_schemas.usage_reasons import DETAIL_COLUMNS, DETAIL_COUNTS

_CLAIM: Final = (
    "project_id",
    "trace_id",
    "span_id",
    "start_time",
    "duration_us",
    "scope",
    "response_id",
    "tok_input",
    "tok_output",
    "usage_extra",
    *DETAIL_COLUMNS,
)
_TRACE, _SPAN, _PARENT = (SPANS.get_field_index(name) for name in ("trace_id", "span_id", "parent_span_id"))
_claim = itemgetter(*(SPANS.get_field_index(name) for name in _CLAIM))


class Bills:
    """The spans of a batch that bear a bill each for itself. Most stand alone, so that little is done for each."""

    def __init__(self) -> None:
        self._claims: list[tuple[Any, ...]] = []
        self._positions: list[int] = []

    def add(self, position: int, row: Row) -> None:
        """Note a span that counts.

        Args:
            position: of its row in the batch.
            row: for the table `spans`.
        """
        self._claims.append(_claim(row))
        self._positions.append(position)

    def reasons(self, rows: Sequence[Row]) -> dict[int, str]:
        """Position to reason of the rows that do not bear a bill.

        Args:
            rows: all of the batch, since spans that are no calls tell which call is inside of which.
        """
        of_trace = Counter(claim[1] for claim in self._claims)
        of_answer = Counter(claim[6] for claim in self._claims if claim[6])
        of_usage = self._usages_to_compare()
        contested: dict[str, list[tuple[Call, int]]] = {}
        for claim, position in zip(self._claims, self._positions, strict=True):
            if of_trace[claim[1]] > 1 or of_answer[claim[6]] > 1 or of_usage[claim[7:9]] > 1:
                contested.setdefault(claim[0], []).append((_call(claim), position))
        if not contested:
            return {}
        parents = _parents(rows, {trace for trace, calls in of_trace.items() if calls > 1})
        found: dict[int, str] = {}
        for calls in contested.values():
            reasons = not_bearing((call for call, _ in calls), parents)
            found |= {position: reasons[call.key] for call, position in calls if call.key in reasons}
        return found

    def _usages_to_compare(self) -> Counter[tuple[int, int]]:
        """Input and output tokens of calls that may be those of a provider's own span; empty where there is none."""
        if not any(map(is_own, {claim[5] for claim in self._claims})):
            return Counter()
        return Counter(claim[7:9] for claim in self._claims if not claim[6] or is_own(claim[5]))


def _call(claim: tuple[Any, ...]) -> Call:
    _, trace, span, start, duration, scope, response_id, tokens_in, tokens_out, extra, *sorts = claim
    details = sum(map(bool, sorts)) + sum(
        name in DETAIL_COUNTS and bool(value) for name, value in zip(*extra, strict=True)
    )
    return Call(trace, span, start, start + duration, scope, response_id, tokens_in, tokens_out, details)


def _parents(rows: Sequence[Row], traces: Set[bytes]) -> dict[tuple[bytes, bytes], bytes]:
    """Parent of each span of some traces."""
    return {(row[_TRACE], row[_SPAN]): row[_PARENT] for row in rows if row[_TRACE] in traces} if traces else {}
