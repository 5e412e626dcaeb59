"""docs/rejects.md, written from the codes: `python -m spanwise_collector.normalise.problems_doc docs/rejects.md`."""

import sys
from collections.abc import Mapping
from pathlib import Path

from spanwise_collector.normalise import limits
from spanwise_collector.normalise.problems import REFUSALS, WARNINGS

_TEXT = f"""# Refused and repaired data

Written by `python -m spanwise_collector.normalise.problems_doc docs/rejects.md` from
`collector/spanwise_collector/normalise/problems.py`; change it there.

Bad input never stops ingest, and never takes its neighbours along: a span that cannot be stored is refused by itself,
and the others of its record are stored. What is refused is counted by reason on the Pipeline page, described in the
table `ingest_rejects`, and its original bytes go to the topic `spanwise_rejects`. What can be stored in part is
stored in part, and the span carries a warning.

Times are judged against the timestamp of the Kafka record: a span that started longer ago than the retention
(SPANWISE_RETENTION_DAYS) is refused, a time more than {limits.FUTURE_ALLOWANCE_US // 60_000_000} minutes ahead is set
to the record's.

Limits: a record has at most {limits.MAX_RECORD_BYTES:,} bytes; a span {limits.MAX_ATTRIBUTES} attributes beside its
columns, each value {limits.MAX_ATTRIBUTE_VALUE:,} characters (bodies are not cut), {limits.MAX_EVENTS} events and
links, {limits.MAX_TAGS} tags; names and ids that become columns have {limits.MAX_FIELD} characters, a project
{limits.MAX_PROJECT}; values are read {limits.MAX_DEPTH} levels deep.
"""


def render() -> str:
    """The page as Markdown."""
    return "\n".join([_TEXT, "## Refused\n", *_table(REFUSALS), "\n## Stored with a warning\n", *_table(WARNINGS), ""])


def _table(codes: Mapping[str, str]) -> list[str]:
    return ["| code | meaning |", "|---|---|", *(f"| `{code}` | {sentence} |" for code, sentence in codes.items())]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(), encoding="utf-8")
