"""Whether the answer is JSON that fits a JSON Schema.

The label is the schema's keyword that is not fulfilled (`required`, `type`, `enum`, …), or what `valid_json` says
where it is no JSON; the explanation says where and what is asked for. Judged are the keywords that providers accept
for structured outputs (JSON Schema 2020-12): `type`, `properties`, `required`, `additionalProperties`, `items`,
`enum`, `const`, the bounds of numbers and lengths, `anyOf`, `oneOf`, `allOf`, `not`, and `$ref` inside the schema.
Not judged: `pattern`, `format`, `uniqueItems`, `multipleOf`, references to other documents. Does not apply to an
answer too large to be looked at as a whole (200,000 values).
"""

from functools import partial
from typing import Any, Final

from spanwise_evaluators.built_in.valid_json import valid_json
from spanwise_evaluators.definition import Definition, yes_or_no
from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.parameters import flag, schema
from spanwise_evaluators.reading.json_answers import read_answer
from spanwise_evaluators.reading.json_schema import explained, judged

MAX_STEPS: Final = 200_000
"""Pairs of schema and value that are looked at."""


def schema_match(sample: Sample, *, schema: dict[str, Any], fenced: bool) -> Verdict | None:
    """Whether the output fits the schema."""
    parsed = valid_json(sample, top="any", fenced=fenced)
    if parsed is None or not parsed.value:
        return parsed
    is_whole, wrong = judged(schema, read_answer(sample.output, asked=True).value, steps=MAX_STEPS)
    if wrong is not None:
        return yes_or_no(False, wrong.keyword, explained(wrong))
    return yes_or_no(True) if is_whole else None


DEFINITION: Final = Definition(
    name="schema_match",
    revision=1,
    reads=frozenset({"output", "tool_calls"}),
    prepare=lambda **given: partial(schema_match, **given),
    parameters=(
        schema("schema", "The schema."),
        flag("fenced", "Whether JSON inside a Markdown code block is taken.", False),
    ),
)
