"""The form that a request asks of its answer: JSON, and perhaps a schema.

Places are those of OpenAI (chat: `response_format`, responses: `text.format`), Anthropic (`output_format`,
`output_config.format`), Gemini (`response_mime_type`, `response_schema`), Ollama (`format`), the GenAI conventions
(`gen_ai.output.type`) and the Vercel AI SDK (`ai.schema`).
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from pydantic_core import from_json

from spanwise_collector.normalise.values import Value

MAX_TEXT: Final = 65_536
"""Characters of a schema or of tool definitions; longer ones are not judged."""
PARAMETERS: Final = frozenset(
    {
        "response_format",
        "text",
        "output_format",
        "output_config",
        "response_mime_type",
        "response_schema",
        "response_json_schema",
        "format",
    }
)
"""Names of the parameters of a request that may ask for a form."""
_JSON_WORDS: Final = frozenset({"json", "json_object", "json_schema", "application/json"})


class Form(NamedTuple):
    """What is asked of an answer.

    Attributes:
        is_json: that it is JSON and nothing else.
        schema: that it has to fit; None without one.
    """

    is_json: bool
    schema: object


ANY_FORM: Final = Form(False, None)


def asked_form(params: Mapping[str, Value] | None, output_format: str) -> Form:
    """The form asked for.

    Args:
        params: of the request.
        output_format: what an attribute says: a word, or a schema as JSON text; "" for nothing.
    """
    found = _form(output_format) if output_format else ANY_FORM
    for name in PARAMETERS.intersection(params) if params else ():
        given = _form(params[name] if params else None, is_schema=name.endswith("schema"))
        found = Form(found.is_json or given.is_json, found.schema if found.schema is not None else given.schema)
    return found


def _form(value: Value, *, is_schema: bool = False) -> Form:
    told = parsed(value) if isinstance(value, str) and value[:1] in ("{", "[") else value
    if isinstance(told, str):
        return Form(told.lower() in _JSON_WORDS, None)
    if not isinstance(told, dict):
        return ANY_FORM
    inside = told.get("format")
    if isinstance(inside, dict):
        told = inside
    kind = told.get("type")
    inner = told.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, dict) else told.get("schema")
    if isinstance(kind, str) and kind.lower() in _JSON_WORDS:
        return Form(True, schema if isinstance(schema, dict) else None)
    if is_schema or "properties" in told or kind == "object":
        return Form(True, told)
    return ANY_FORM


@lru_cache(maxsize=128)
def parsed(text: str) -> Value:
    """JSON text as values, None where it is none or too long; remembered, so never changed by who gets it."""
    if len(text) > MAX_TEXT:
        return None
    try:
        found: Value = from_json(text)
    except ValueError:
        return None
    return found
