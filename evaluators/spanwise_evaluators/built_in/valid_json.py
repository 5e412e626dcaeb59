"""Whether the answer is JSON and nothing else.

The label says what is wrong: `not_json` (plain text), `truncated` (it ends in the middle), `extra_text` (something
follows), `fenced` (it stands in a Markdown code block), `malformed`, or `wrong_type`. `NaN` and `Infinity` are no
JSON. Does not apply to answers of over a million characters, and to answers that are only tool calls.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from spanwise_evaluators.definition import Definition, yes_or_no
from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.parameters import choice, flag
from spanwise_evaluators.reading.json_answers import read_answer

_TYPES: Final[Mapping[str, type]] = {"object": dict, "array": list}
_WORDS: Final[Mapping[str, str]] = {
    "truncated": "JSON that ends in the middle",
    "fenced": "JSON inside a code block",
    "extra_text": "JSON with other text after it",
    "not_json": "plain text",
    "malformed": "JSON that does not parse",
}


def valid_json(sample: Sample, *, top: str, fenced: bool) -> Verdict | None:
    """Whether the output parses."""
    if sample.tool_calls and not sample.output.strip():
        return None
    reading = read_answer(sample.output, asked=True)
    if reading.problem and not (fenced and reading.problem == "fenced"):
        return yes_or_no(False, reading.problem, f"the answer is {_WORDS[reading.problem]}")
    if not reading.is_json:
        return None
    if top != "any" and not isinstance(reading.value, _TYPES[top]):
        return yes_or_no(False, "wrong_type", f"the answer is JSON, but no {top}")
    return yes_or_no(True)


DEFINITION: Final = Definition(
    name="valid_json",
    revision=1,
    reads=frozenset({"output", "tool_calls"}),
    prepare=lambda **given: partial(valid_json, **given),
    parameters=(
        choice("top", "What the whole answer has to be.", ("any", "object", "array"), "any"),
        flag("fenced", "Whether JSON inside a Markdown code block counts as valid.", False),
    ),
)
