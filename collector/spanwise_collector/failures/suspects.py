"""Which model calls are worth a closer look: the question that is asked of every one, so it has to be cheap.

A call that is let go here has no failure: everything that `answers` could find has a sign that is looked for.
tests/unit/collector/failures/test_suspects.py holds the two together.
"""

from typing import Any, Final

from spanwise_collector.failures.answers import BAD_FINISH, at_limit
from spanwise_collector.failures.asked import PARAMETERS
from spanwise_collector.normalise.plan import SLOT
from spanwise_evaluators.reading.refusals import HEAD, STARTS, refusal

_FINISH: Final = SLOT["finish_reason"]
_PARAMS: Final = SLOT["params"]
_FORMAT: Final = SLOT["output_format"]
_TOOLS: Final = SLOT["tool_defs"]
_TOK_OUTPUT: Final = SLOT["tok_output"]
_TOK_REASONING: Final = SLOT["tok_reasoning"]
_JSON_STARTS: Final = frozenset("{[`")
_FEW_TOKENS: Final = 3


def is_suspect(values: list[Any], messages: list[Any] | None) -> bool:
    """Whether a model call that did not fail may have an answer that is a failure.

    Args:
        values: of the span's fields, in the table's order.
        messages: of the output, in the one form; None where there are none.
    """
    finish = values[_FINISH]
    if finish in BAD_FINISH or values[_FORMAT]:
        return True
    params = values[_PARAMS]
    if params and (not PARAMETERS.isdisjoint(params) or (not finish and at_limit(params, values[_TOK_OUTPUT] or 0))):
        return True
    if not messages:
        count = values[_TOK_OUTPUT]
        return count is not None and count - (values[_TOK_REASONING] or 0) < _FEW_TOKENS
    text, has_medium = "", False
    for part in messages[0]["parts"]:
        kind = part["type"]
        if kind == "text":
            content = part.get("content")
            if type(content) is str:
                text = text + content if text else content
        elif kind == "tool_call":
            return bool(values[_TOOLS])
        elif kind != "reasoning":
            has_medium = True
    if text[:3] in STARTS or text.find("I", 0, HEAD) >= 0:
        return refusal(text) != "" or text[0].isspace()
    start = text[:1]
    return start in _JSON_STARTS or start.isspace() if start else not has_medium
