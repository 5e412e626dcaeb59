"""The page docs/clients.md: which field is right for which client, and what clients do not send."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from tests.golden.clients.evaluate import absent
from tests.golden.clients.evaluate.verdicts import ABSENT, NAMES, OTHER, RIGHT, WRONG, Verdict
from tests.golden.clients.recording import PROGRAMS, Recording

MARKS: Final = {RIGHT: "✓", ABSENT: "-", OTHER: "≠", WRONG: "✗"}
GROUPS: Final = {
    "The call": (
        "span",
        "kind",
        "provider",
        "model_request",
        "model_response",
        "params",
        "streaming",
        "ttft",
        "error",
        "error_message",
    ),
    "What was said": (
        "system",
        "input_text",
        "images",
        "tools_offered",
        "output_text",
        "thought",
        "tool_calls",
        "tool_result",
        "finish_reason",
        "response_id",
    ),
    "Tokens and money": (
        "input_tokens",
        "output_tokens",
        "cache_read",
        "cache_write",
        "cache_write_1h",
        "reasoning",
        "cost",
        "counted_once",
        "session",
        "user",
    ),
}
_HEAD: Final = """\
# Clients

Written by `make docs`; do not edit. Real, unmodified packages ran against a stub provider. What they sent was recorded
and is put through Spanwise in the tests; each field of each answer is held against the stub's log of what it answered.

| mark | meaning |
|---|---|
| ✓ | right |
| - | the client does not send it; a test searched its payload for the true value |
| ≠ | the client sends another value than the true one |
| ✗ | in the payload, but read wrong |

A number beside a mark says for how many answers. An empty cell: no answer was of that sort. `cost` is right when it is
the provider's list price to the nano-dollar; where a client leaves out counts that the price depends on, it cannot be.
`counted_once`: each answer is on exactly one span that bears the bill. `session` and `user` are right when the trace
has them, on whichever span the client put them.

How these are recorded and how a client is added: [tests/golden/clients](../tests/golden/clients/README.md).
"""


def outcomes(verdicts: Iterable[Verdict]) -> dict[str, Counter[str]]:
    """Outcomes of each field that was judged, in the order of the table."""
    found: dict[str, Counter[str]] = {name: Counter() for name in NAMES}
    for one in verdicts:
        found[one.field][one.outcome] += 1
    return {name: counts for name, counts in found.items() if counts}


def cell(counts: Counter[str]) -> str:
    """A mark alone where all answers are alike, else each mark with its number."""
    if len(counts) < 2:
        return "".join(MARKS[one] for one in counts)
    return " ".join(f"{mark}{counts[one]}" for one, mark in MARKS.items() if counts[one])


def page(results: Mapping[str, Sequence[Verdict]], recordings: Mapping[str, Recording]) -> str:
    """The page.

    Args:
        results: name of each recording to its verdicts.
        recordings: by name.
    """
    return "\n".join([_HEAD, *_clients(results, recordings), *_tables(results), *_notes(results, recordings)])


def pinned(client: str) -> list[tuple[str, str]]:
    """The packages that a client's program asks for, with their versions."""
    wanted = PROGRAMS / client / "package.json"
    if wanted.exists():
        return sorted(json.loads(wanted.read_text(encoding="utf-8"))["dependencies"].items())
    lines = (PROGRAMS / client / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found = [line.split("#")[0].strip().partition("==") for line in lines]
    return sorted((name, version) for name, _, version in found if version)


def _clients(results: Mapping[str, Sequence[Verdict]], recordings: Mapping[str, Recording]) -> Iterator[str]:
    yield "| name | client | packages | answers | ✓ | - | ≠ | ✗ |\n|---|---|---|--:|--:|--:|--:|--:|"
    for name, verdicts in results.items():
        counts = Counter(one.outcome for one in verdicts)
        numbers = " | ".join(f"{counts[one]:,}" for one in MARKS)
        found = recordings[name]
        packages = ", ".join(f"{package} {version}" for package, version in pinned(found.client))
        yield f"| `{name}` | {found.title} | {packages} | {len(found.truth)} | {numbers} |"
    yield ""


def _tables(results: Mapping[str, Sequence[Verdict]]) -> Iterator[str]:
    for title, fields in GROUPS.items():
        yield f"## {title}\n"
        yield f"| name | {' | '.join(fields)} |\n|---|{'---|' * len(fields)}"
        for name, verdicts in results.items():
            counted = outcomes(verdicts)
            yield f"| `{name}` | {' | '.join(cell(counted.get(field, Counter())) for field in fields)} |"
        yield ""


def _notes(results: Mapping[str, Sequence[Verdict]], recordings: Mapping[str, Recording]) -> Iterator[str]:
    """What is declared absent; recordings of which the same is said stand together."""
    yield "## What clients do not send\n"
    by_lines: dict[tuple[str, ...], list[str]] = {}
    for name in results:
        by_lines.setdefault(tuple(_reasons(absent.load(recordings[name]))), []).append(f"`{name}`")
    for lines, alike in by_lines.items():
        if lines:
            yield "\n".join([", ".join(alike) + "\n", *lines]) + "\n"


def _reasons(found: list[absent.Absence]) -> list[str]:
    """One line for each reason."""
    by_reason: dict[str, list[str]] = {}
    for one in found:
        mark = f"{MARKS[OTHER]} " if one.sends_other else ""
        cases = "" if one.cases == ("*",) else f" ({', '.join(f'`{case}`' for case in one.cases)})"
        by_reason.setdefault(one.reason, []).append(f"{mark}{one.field}{cases}")
    return [f"- {', '.join(fields)}: {reason}" for reason, fields in by_reason.items()]
