"""docs/conventions.md, written from the table: `python -m spanwise_schemas.conventions_doc docs/conventions.md`."""

import sys
from collections.abc import Iterable
from pathlib import Path

from spanwise_schemas.conventions import (
    READINGS,
    RECOGNISED,
    RESOURCE_FIELDS,
    SPAN_FIELDS,
    Field,
    Source,
)

_INTRODUCTION = """# Conventions: which attribute fills which field

Written by `python -m spanwise_schemas.conventions_doc docs/conventions.md` from the table in
`schemas/spanwise_schemas/conventions/`, a module for each convention; change it there.

Spanwise reads spans of any OpenTelemetry exporter. For each field the attributes below are tried in order: the first
one that is present and can be understood fills the field. A value that cannot be understood stays among the span's
attributes, with a [warning](rejects.md). Attributes that fill no field are kept as they are, as text; so is an
attribute that lost to a better one. Bodies that lost, or whose messages were put into another form, are kept as sent
beside the bodies (`span_io.raw`). Resource attributes without
a field are kept with the prefix `resource.`, those of the instrumentation scope with `scope.`.
"""

_BILLS = """\
`tok_input` includes cached tokens and `tok_output` includes reasoning, as in the GenAI conventions. A source that is
`counted exclusive` leaves them out, so they are added; one that is `counted provider` passes on what the provider's API
says, which leaves cached tokens out for Anthropic's and reasoning for Gemini's. Where cached
tokens are more than the input tokens, the counts are stored as sent, with a warning, and no cost is computed. Only
model calls (`llm`, `embedding`, `reranker`) bear a bill; agents, chains and workflows repeat what their calls say. Of
spans that report the same provider call (same response id and tokens at the same time) one bears it.
"""


_SCORES = """\
Scores are not fields of a span: they become rows of their own. Where they are told is looked for in

- log records and span events named `gen_ai.evaluation.result` (GenAI conventions): `gen_ai.evaluation.name`,
  `gen_ai.evaluation.score.value`, `gen_ai.evaluation.score.label`, `gen_ai.evaluation.explanation`, and our own
  `spanwise.score.*` ([Scores](sdk.md#scores)). A log record's target is its trace and span id, `gen_ai.response.id` or
  `session.id`, a span event's is its span;
- span attributes of OpenInference: `evaluations.N.evaluation.name`, `.score`, `.label`, `.explanation`,
  `.annotator_kind` (`HUMAN`, `LLM`, `CODE`: the source) and `.identifier` (the evaluator), the same as
  `annotations.N.annotation.*`, and with `trace.` or `session.` before it for the whole trace or session. They stay
  among the span's attributes, too.

A span with exactly one link carries the scores of the linked span, which is how OpenInference scores a span that has
ended. Langfuse's SDKs send no scores over OTLP: they go to Langfuse's own HTTP API, so `langfuse.score(...)` and
`create_score` do not arrive here; call [`spanwise.score`](sdk.md#scores) or
[`POST /api/v1/scores`](api_evals.md#scores) instead. The same holds for MLflow's assessments.
"""


def render() -> str:
    """The page as Markdown."""
    return "\n".join(
        [
            _INTRODUCTION,
            f"A span's convention is the first of {_listed(RECOGNISED)}",
            "of which it carries an attribute. Names marked `otel` are shared by all of them.\n",
            "## Of a span\n",
            *_table(SPAN_FIELDS),
            "\n## Of a resource\n",
            *_table(RESOURCE_FIELDS),
            "\n## Kinds\n",
            *_kinds(),
            "\n## Tokens and bills\n",
            _BILLS,
            "## Scores\n",
            _SCORES,
            "## Readings\n",
            "| reading | takes |",
            "|---|---|",
            *(f"| {name} | {meaning} |" for name, meaning in READINGS.items()),
            "",
        ]
    )


def _table(fields: Iterable[Field]) -> list[str]:
    lines = ["| field | holds | from, in order |", "|---|---|---|"]
    for one in fields:
        sources = "<br>".join(_source(source) for source in one.sources)
        lines.append(f"| `{one.name}` | {one.meaning} | {sources} |")
    return lines


def _source(source: Source) -> str:
    member = "".join(f" → `{step}`" for step in source.path or ())
    notes: list[str] = [source.convention, source.reading]
    if source.path == ():
        notes.append("as JSON")
    if source.counting != "inclusive":
        notes.append(f"counted {source.counting}")
    if source.scopes:
        notes.append(f"in scopes {_listed(f'{scope}…' for scope in source.scopes)}")
    if source.but_not:
        notes.append(f"not in scopes {_listed(f'{scope}…' for scope in source.but_not)}")
    return f"`{source.attribute}`{member} ({', '.join(notes)})"


def _kinds() -> list[str]:
    lines = ["| attribute | word: kind |", "|---|---|"]
    for one in SPAN_FIELDS:
        for source in one.sources:
            if source.values:
                words = ", ".join(f"{word}: {kind}" for word, kind in source.values.items())
                lines.append(f"| `{source.attribute}` | {words} |")
    return lines


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(), encoding="utf-8")
