"""One issue: its course, examples, fingerprints, and where it happens."""

from typing import Any, Final

from spanwise_collector.query.failures import read_issues
from spanwise_collector.query.failures_source import IN_WINDOW, SOURCE, FailureFilter, issue_id
from spanwise_collector.query.values import hex_id, milliseconds, time_of
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_failures import Counted, FailureExample, Fingerprint, IssueDetail

STEPS: Final = (60, 300, 900, 3600, 14_400, 86_400)
MAX_STEPS: Final = 120
EXAMPLES: Final = 20
FINGERPRINTS: Final = 200
_BY: Final = {
    "model": "model",
    "release": "release",
    "environment": "env",
    "prompt": "if(prompt_version = '', prompt_name, concat(prompt_name, '@', prompt_version))",
    "user_group": "user_group",
    "tool": "tool_name",
    "name": "name",
}


def get_issue(
    reader: Reader, project: str, number: int, window: Window, explanation: dict[str, str], *, timeout_s: float = 30.0
) -> IssueDetail | None:
    """An issue with everything about it; None where there is none.

    Args:
        reader: the store.
        project: whose.
        number: the issue's.
        window: its course and examples are from it.
        explanation: what each class of failure means, for people.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    wanted = FailureFilter(project)
    found = read_issues(reader, wanted, window, only=number, timeout_s=timeout_s)
    if not found:
        return None
    step = next((one for one in STEPS if window.length / 1e6 / one <= MAX_STEPS), STEPS[-1])
    parameters = wanted.parameters(window) | {"issue": number, "step": step * 1_000_000}
    scope = f"FROM {SOURCE} WHERE issue = {{issue:UInt64}}"
    first = window.start - window.start % (step * 1_000_000)
    steps = -(-(window.end - first) // (step * 1_000_000))
    counted = dict(
        reader.query(
            "SELECT intDiv(toUnixTimestamp64Micro(time), {step:Int64}) * {step:Int64} AS at, count() "
            f"{scope} AND {IN_WINDOW} GROUP BY at",
            parameters,
            timeout_s=timeout_s,
        ).rows
    )
    starts = [first + number * step * 1_000_000 for number in range(steps)]
    return IssueDetail(
        issue=found[0],
        explanation=explanation.get(found[0].failure_class, ""),
        times=[time_of(start) for start in starts],
        counts=[int(counted.get(start, 0)) for start in starts],
        step_seconds=step,
        examples=_examples(reader, scope, parameters, timeout_s),
        fingerprints=_fingerprints(reader, scope, parameters, timeout_s),
        by=_by(reader, scope, parameters, timeout_s),
    )


def _examples(reader: Reader, scope: str, parameters: dict[str, object], timeout_s: float) -> list[FailureExample]:
    # Of each fingerprint and hour the newest first, so that a burst does not hide the rest.
    sql = (
        "SELECT trace_id, span_id, toUnixTimestamp64Micro(time), name, model, release, env, user_id, title, message, "
        f"duration_us {scope} ORDER BY row_number() OVER (PARTITION BY fingerprint, toStartOfHour(time) "
        f"ORDER BY time DESC), time DESC, trace_id, span_id LIMIT {EXAMPLES}"
    )
    rows = reader.query(sql, parameters, timeout_s=timeout_s).rows
    return sorted(map(_example, rows), key=lambda one: one.time, reverse=True)


def _example(row: tuple[Any, ...]) -> FailureExample:
    trace, span, time, name, model, release, env, user, title, message, duration = row
    return FailureExample(
        trace_id=trace.hex(),
        span_id=hex_id(span),
        time=time_of(time),
        name=name,
        model=model,
        release=release,
        environment=env,
        user_id=user,
        title=title,
        message=message,
        duration_ms=milliseconds(duration),
    )


def _fingerprints(reader: Reader, scope: str, parameters: dict[str, object], timeout_s: float) -> list[Fingerprint]:
    sql = (
        "SELECT fingerprint, argMax(title, time), count(), any(grouped), min(toUnixTimestamp64Micro(time)), "
        f"max(toUnixTimestamp64Micro(time)) {scope} GROUP BY fingerprint ORDER BY count() DESC, fingerprint "
        f"LIMIT {FINGERPRINTS}"
    )
    return [
        Fingerprint(
            fingerprint=issue_id(number),
            title=title,
            count=count,
            how=how,
            first_seen=time_of(first),
            last_seen=time_of(last),
        )
        for number, title, count, how, first, last in reader.query(sql, parameters, timeout_s=timeout_s).rows
    ]


def _by(reader: Reader, scope: str, parameters: dict[str, object], timeout_s: float) -> dict[str, list[Counted]]:
    tops = ", ".join(
        f"arraySlice(arrayReverseSort(pair -> pair.2, CAST(sumMap(map(toString({sql}), toUInt64(1))), "
        "'Array(Tuple(String, UInt64))')), 1, 8)"
        for sql in _BY.values()
    )
    row = reader.query(f"SELECT {tops} {scope} AND {IN_WINDOW}", parameters, timeout_s=timeout_s).rows[0]
    return {
        name: [Counted(value=value, count=count) for value, count in pairs]
        for name, pairs in zip(_BY, row, strict=True)
        if any(value for value, _ in pairs)
    }
