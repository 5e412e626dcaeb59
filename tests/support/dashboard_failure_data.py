"""Issues for the dashboard's tests and screenshots, built from the API's models."""

import random
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from spanwise_schemas.api_failures import Counted, FailureExample, Fingerprint, Issue, IssueDetail
from tests.support.dashboard_data import ERROR_TRACE_ID, HOSTILE, HOSTILE_TRACE_ID, OK_TRACE_ID, Dataset

ARGUMENTS_ID: Final = "1550e00000000001"
"""Spikes: the issue that `dashboard_changes.what_changed` says has grown."""
REOPENED_ID: Final = "1550e00000000002"
NEW_ID: Final = "1550e00000000003"
HOSTILE_ISSUE_ID: Final = "1550e00000000009"
OLD_ID: Final = "1550e00000000010"
PARTS: Final = 24
MEANINGS: Final = {
    "wrong_arguments": "The arguments of a tool call do not fit the tool's schema.",
    "rate_limit": "Too many requests or tokens at once.",
    "refusal": "The model declines or does not answer. The span's status stays ok.",
}


def few(data: Dataset) -> list[Issue]:
    """The failure of the second trace."""
    return [_issue(data.now, ARGUMENTS_ID, "tool_error", "lookup_invoice: timed out after 2 s", 1, hours=0.02)]


def many(data: Dataset) -> list[Issue]:
    """New, spiking and reopened ones; ones that people took, resolved or ignored; and a hostile one."""
    now = data.now
    spiking = [1, 0, 2, 1, 0, 0, 1, 2, 0, 1, 1, 0, 0, 1, 0, 2, 1, 0, 1, 3, 14, 29, 31, 24]
    arguments = "lookup_invoice: 'invoice_id' is a required property"
    return [
        _issue(now, ARGUMENTS_ID, "wrong_arguments", arguments, 97, trend=spiking, spiking=True),
        _issue(
            *(now, REOPENED_ID, "rate_limit", "429 Rate limit reached for gpt-4o on tokens per min (TPM): Limit <num>"),
            *(41, 400),
            reopened=True,
            by="Ada",
            note="The limit was raised to 2 million tokens.",
            sub="tokens",
        ),
        _issue(now, NEW_ID, "refusal", "I can't help with account closures.", 38, hours=6, new=True),
        _issue(now, "1550e00000000004", "timeout", "ReadTimeout: no bytes within 60 s", 212, 900, name="chat"),
        _issue(now, "1550e00000000005", "truncation", "The answer ends at max_tokens=1024", 1_840, 600, name="chat"),
        _issue(now, "1550e00000000006", "invalid_json", "Not JSON: ```json", 64, 500, name="extract", sub="fenced"),
        _issue(now, "1550e00000000007", "empty_retrieval", "search_docs found nothing", 310, 700, name="search_docs"),
        _issue(
            *(now, "1550e00000000008", "loop", "search_docs called 6 times with the same arguments", 9, 90),
            state="acknowledged",
            by="Grace",
        ),
        _issue(now, HOSTILE_ISSUE_ID, "exception", HOSTILE, 5, 30, name=HOSTILE),
        _issue(now, OLD_ID, "overload", "529 Overloaded", 0, 300, last=timedelta(days=4)),
        _issue(now, "1550e00000000011", "authentication", "401 Incorrect API key", 3, 80, state="resolved", by="Ada"),
        _issue(
            *(now, "1550e00000000012", "content_filter", "The prompt was stopped by the filter", 520, 800),
            state="ignored",
            by="Ada",
            note="These are the red team's.",
        ),
    ]


def _issue(
    now: datetime,
    issue_id: str,
    failure_class: str,
    title: str,
    number: int,
    hours: float = 200,
    *,
    sub: str = "",
    name: str = "answer_question",
    trend: list[int] | None = None,
    new: bool = False,
    spiking: bool = False,
    reopened: bool = False,
    state: str = "open",
    by: str = "",
    note: str = "",
    last: timedelta = timedelta(minutes=3),
) -> Issue:
    rng = random.Random(issue_id)
    shares = sorted(rng.random() for _ in range(PARTS - 1))
    cuts = [0, *(round(share * number) for share in shares), number]
    return Issue.model_validate(
        {
            "issue_id": issue_id,
            "failure_class": failure_class,
            "failure_sub": sub,
            "title": title,
            "name": name,
            "kind": "llm",
            "state": state,
            "reopened": reopened,
            "is_new": new,
            "is_spiking": spiking,
            "count": number,
            "traces": max(1, number * 9 // 10) if number else 0,
            "users": number // 3,
            "cost_nanousd": number * 4_100_000,
            "previous_count": 0 if new or hours < 1 else max(1, number // 4) if spiking else round(number * 1.04),
            "first_seen": now - timedelta(hours=hours),
            "last_seen": now - last,
            "trend": trend or [after - before for before, after in pairwise(cuts)],
            "releases": ["2026.11.2", "2026.11.3", "2026.11.4"][-1 if new else 0 :],
            "models": ["gpt-4o"] if number < 100 else ["claude-sonnet-4-5", "gpt-4o", "gpt-4o-mini"],
            "fingerprints": 3 if issue_id == ARGUMENTS_ID else 1,
            "note": note,
            "changed_by": by,
            "changed_at": now - timedelta(days=3) if by or state != "open" else None,
        }
    )


def detail(data: Dataset, issue: Issue, prints: int) -> IssueDetail:
    """The issue with its course by hours, examples, and as many fingerprints."""
    first = (data.now - timedelta(hours=PARTS - 1)).replace(minute=0, second=0, microsecond=0)
    happens = bool(issue.count)
    return IssueDetail(
        issue=issue,
        explanation=MEANINGS.get(issue.failure_class, "Something went wrong."),
        times=[first + timedelta(hours=hour) for hour in range(PARTS)],
        counts=issue.trend,
        step_seconds=3600,
        examples=_examples(data, issue) if happens else [],
        fingerprints=[_print(issue, number) for number in range(prints)],
        by={
            "model": _counted(issue.count, *issue.models),
            "release": _counted(issue.count, *reversed(issue.releases)),
            "prompt": _counted(issue.count, "answer@v7", "answer@v6", ""),
            "environment": _counted(issue.count, "production", "staging"),
            "user_group": _counted(issue.count, "free", "", HOSTILE),
        }
        if happens
        else {},
    )


def _counted(whole: int, *values: str) -> list[Counted]:
    left, found = whole, []
    for value in values:
        part = max(1, left * 4 // 5)
        found.append(Counted(value=value, count=part))
        left -= part
    return found


def _examples(data: Dataset, issue: Issue) -> list[FailureExample]:
    return [
        FailureExample(
            trace_id=trace_id,
            span_id=span_id,
            time=data.now - timedelta(minutes=5 + 40 * number),
            name=issue.name,
            model=issue.models[0],
            release=issue.releases[-1],
            environment="production",
            user_id=f"user-{number}",
            title=issue.title,
            message=HOSTILE if issue.issue_id == HOSTILE_ISSUE_ID else f"{issue.title}\nFailed validating 'required'",
            duration_ms=840.0 + 300 * number,
        )
        for number, (trace_id, span_id) in enumerate(
            (
                (ERROR_TRACE_ID, "0000000000000006"),
                (OK_TRACE_ID, "0000000000000002"),
                (HOSTILE_TRACE_ID, "0" * 15 + "1"),
            )
        )
    ]


def _print(issue: Issue, number: int) -> Fingerprint:
    how = ("own", "drain", "merge")[number % 3]
    return Fingerprint.model_validate(
        {
            "fingerprint": f"f{number}{issue.issue_id[2:]}",
            "title": issue.title if number == 0 else f"{issue.title} ({number})",
            "count": max(1, issue.count // (number * 4 + 1)),
            "how": how,
            "first_seen": issue.first_seen,
            "last_seen": issue.last_seen,
        }
    )
