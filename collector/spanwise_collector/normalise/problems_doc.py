"""docs/rejects.md, written from the codes: `python -m spanwise_collector.normalise.problems_doc docs/rejects.md`."""

import sys
from collections.abc import Mapping
from pathlib import Path

from spanwise_collector.ingest.reject_rate import MIN_ITEMS
from spanwise_collector.normalise import limits
from spanwise_collector.normalise.problems import REFUSALS, WARNINGS

_TEXT = f"""# Refused and repaired data

Written by `python -m spanwise_collector.normalise.problems_doc docs/rejects.md` from
`collector/spanwise_collector/normalise/problems.py`; change it there.

Bad input never stops ingest, and never takes its neighbours along: a span that cannot be stored is refused by itself,
and the others of its record are stored. What is refused is counted by reason on the Pipeline page, described in the
table `ingest_rejects`, and its original bytes go to the topic `spanwise_rejects`. What can be stored in part is
stored in part, and the span carries a warning.

## Look at them, and replay them after a fix

```
spanwise rejects list                                  why, of whom, how many, when; by reason and sender
spanwise rejects list --each --since 2026-11-22        one line per record, the newest first
spanwise rejects show spanwise_rejects:0:17            headers and first bytes; --out FILE writes all of them
spanwise rejects replay --reason too_old               shows what it would write, asks, writes
```

They are read from Kafka: SPANWISE_KAFKA and the settings beside it, else the `spanwise up` of `--data-dir`. `replay`
takes positions, `--reason` and `--since`, or `--all`; `--dry-run` only shows. Each record goes back to its partition as
it was, once per run, and the command waits until all replicas have it; it says which were not acknowledged, and then
its exit code is 1. Spans that are stored already are counted as duplicates, so a second replay does no harm, and a
producer's numbers on the Pipeline page stay what they were. What is wrong still is refused again.
[Why it is so](decisions/0014-replayed-rejects.md).

## When nearly everything is refused

After a bad deploy everything can look broken. When more than SPANWISE_REJECT_LIMIT (0.5) of a partition's last items,
{MIN_ITEMS:,} at least, would be refused, the partition is held before that batch: it is neither stored nor refused, and
stays in Kafka. `/readyz` and `spanwise status` answer that ingest is failing, with the place, the reasons and the
remedy; the log has the same line, and the other partitions go on. Put right what is wrong and restart the collector; it
reads on where it was held. Set to 1 there is no limit: then everything refused goes to `spanwise_rejects`, from where
it can be replayed. Refusals of replayed records are not counted. One broken producer that sends more than all others of
a partition can hold it; stop it, revoke its key, or set the limit to 1 until it is gone.

## How input is judged

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
