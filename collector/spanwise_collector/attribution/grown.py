"""Issues that grew by more than the traffic did."""

from typing import Final

from spanwise_collector.attribution.populations import Question
from spanwise_collector.query.failures_source import SOURCE, FailureFilter, issue_id
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_changes import GrownFailure

MAX_ISSUES: Final = 5
MIN_FAILURES: Final = 3
SURE: Final = 3.0
"""Standard deviations of a Poisson count beyond what the traffic explains."""


def grown_failures(
    reader: Reader, question: Question, traffic: float, *, timeout_s: float = 30.0
) -> list[GrownFailure]:
    """Issues with more failures after than the traffic explains, those that grew most first.

    Args:
        reader: the store.
        question: which windows; filters by environment, model and release hold here too.
        traffic: events after over events before, of whatever the question counts.
        timeout_s: for the query.

    Raises:
        StoreError: see `Reader.query`.
    """
    before, after = question.before, question.after
    wanted = FailureFilter(
        question.project,
        environments=question.where.environment,
        models=question.where.model,
        releases=question.where.release,
    )
    parameters = wanted.parameters(Window(min(before.start, after.start), max(before.end, after.end)))
    parameters |= {
        "oldest": min(before.start, after.start),
        "before_start": before.start,
        "before_end": before.end,
        "after_start": after.start,
        "after_end": after.end,
        "traffic": traffic,
    }
    at = "toUnixTimestamp64Micro(time)"
    sql = (
        "SELECT issue, any(title), any(failure_class::String), "
        f"countIf({at} >= {{before_start:Int64}} AND {at} < {{before_end:Int64}}) AS n_before, "
        f"countIf({at} >= {{after_start:Int64}} AND {at} < {{after_end:Int64}}) AS n_after, "
        f"n_before * {{traffic:Float64}} AS expected FROM {SOURCE} WHERE {wanted.condition()} GROUP BY issue "
        # The reference is a sample as well: its variance is scaled by the square of the traffic.
        f"HAVING n_after >= {MIN_FAILURES} AND n_after - expected > {SURE} * "
        "sqrt(expected * (1 + {traffic:Float64}) + 1) "
        f"ORDER BY n_after - expected DESC, issue LIMIT {MAX_ISSUES}"
    )
    return [
        GrownFailure(
            issue_id=issue_id(issue), title=title, failure_class=word, before=before_n, after=after_n, expected=expected
        )
        for issue, title, word, before_n, after_n, expected in reader.query(sql, parameters, timeout_s=timeout_s).rows
    ]
