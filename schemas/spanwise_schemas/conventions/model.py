"""What a rule of the table says: from which attribute a field may come, how it is read, and where the rule holds."""

import dataclasses
from collections.abc import Mapping
from typing import Final, Literal, get_args

Convention = Literal[
    "spanwise",
    "otel",
    "langfuse",
    "laminar",
    "gen_ai",
    "pydantic_ai",
    "openinference",
    "gen_ai_legacy",
    "openllmetry",
    "openlit",
    "litellm",
    "ai_sdk",
    "mlflow",
    "langsmith",
]
"""Who defines an attribute's name, in order of precedence: names that are a library's own say more than shared ones,
and current ones more than those they replaced. `otel` and `spanwise` names are shared by all, so they say nothing
about who wrote a span."""
PRECEDENCE: Final[tuple[Convention, ...]] = get_args(Convention)
"""The same, to walk over."""

Reading = Literal[
    "string",
    "strings",
    "comma_strings",
    "first_string",
    "boolean",
    "count",
    "usd",
    "seconds",
    "milliseconds",
    "instant",
    "kind",
    "kind_of_path",
    "provider",
    "routed_model",
    "unrouted_model",
    "routed_provider",
    "routed_id",
    "finish_reason",
    "error_level",
    "messages",
    "indexed_messages",
    "indexed_json",
    "parameters",
    "parameters_below",
    "body",
    "json_strings",
    "answer_parts",
    "usage",
    "usd_parts",
    "streamed",
    "given",
    "ignored",
]

READINGS: Final[Mapping[Reading, str]] = {
    "string": "text; numbers and booleans as their JSON text",
    "strings": "an array of strings, or a JSON array in a string, or one string",
    "comma_strings": "strings separated by commas, or an array of strings",
    "first_string": "the first of an array of strings, or a JSON array in a string, or the string itself",
    "boolean": "true or false, also as text",
    "count": "a whole number from 0 to 4,294,967,295; a whole float or a decimal string is taken too",
    "usd": "a finite amount of US dollars, not negative; kept as whole nano-dollars",
    "seconds": "seconds, kept as whole microseconds",
    "milliseconds": "milliseconds, kept as whole microseconds",
    "instant": "a point in time, RFC 3339 text or nanoseconds since the epoch; kept as microseconds since the epoch",
    "kind": "a word from the source's own list, below",
    "kind_of_path": "the last name of a path, where it is on the source's own list, below",
    "provider": "the provider's name as the GenAI conventions spell it where they know it, else in lower case",
    "routed_model": "a model's name in LiteLLM's form `openai/gpt-4o`, without the provider in front",
    "unrouted_model": "a model's name that is not in that form, in which requests alone name models",
    "routed_provider": "the provider in front of such a name; nothing where there is none",
    "routed_id": "the provider's id, also inside the one that LiteLLM makes of it (`resp_` and base64)",
    "finish_reason": "the GenAI conventions' word where one means the same, else the source's own",
    "error_level": "an error where the word says so",
    "messages": "messages in any known shape, as JSON text or structured values; kept as GenAI message JSON",
    "indexed_messages": "messages spread over attributes `<prefix>.<n>.…`; put together into GenAI message JSON",
    "indexed_json": "a list spread over attributes `<prefix>.<n>.…`; put together into JSON",
    "parameters": "a JSON object of request parameters",
    "parameters_below": "request parameters, one in each attribute below the prefix",
    "body": "text as it is; structured values as JSON text. In a model call, messages in any known shape become GenAI "
    "message JSON, and bare text one message",
    "json_strings": "an array of JSON texts; kept as one JSON array",
    "answer_parts": "an answer spread over the attributes `<prefix>.text`, `.reasoning`, `.toolCalls`, `.object`, "
    "`.files`; put together into GenAI message JSON",
    "usage": "a JSON object of token counts in the style of OpenAI, Anthropic, Langfuse or the Vercel AI SDK, told by "
    "the names in it; with a count of the input it goes before all attributes, else it adds what they leave out",
    "usd_parts": "a JSON object of amounts of US dollars: its `total`, else their sum",
    "given": "true where there is a value",
    "streamed": "whether an operation's name speaks of a stream",
    "ignored": "read with the field beside it, and stored nowhere else",
}

Counting = Literal["inclusive", "exclusive", "provider"]
"""What a source's main token count holds: `inclusive` all tokens (the GenAI conventions); `exclusive` leaves out cached
ones (input) or reasoning (output), so that these are added; `provider` passes on what the provider's API says, which
leaves cached tokens out for Anthropic's and reasoning for Gemini's."""


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """One attribute from which a field may come.

    Attributes:
        field: the field's name.
        attribute: its name; with `.*` at the end, every attribute below that prefix.
        reading: how its value is understood, a key of `READINGS`.
        values: for the readings `kind` and `kind_of_path`: the source's words, lower-case, to span kinds.
        path: None for the value itself; else the value is JSON (text or structured) and this leads to the member that
            is read: `("input",)`; `()` for all of it, which unwraps JSON-encoded text.
        scopes: starts of instrumentation scope names, lower-case, in whose spans alone the rule holds; none for all.
        but_not: the same of those in which it does not hold.
        first: goes before the rules of every convention that do not say so.
        counting: of `tok_input` and `tok_output`.
        convention: who defines the name; filled in from the module that lists the rule.
    """

    field: str
    attribute: str
    reading: Reading
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    path: tuple[str, ...] | None = None
    scopes: tuple[str, ...] = ()
    but_not: tuple[str, ...] = ()
    first: bool = False
    counting: Counting = "inclusive"
    convention: Convention = "otel"


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field of a span and where it comes from: the first source that is present and readable wins.

    Attributes:
        name: its name in the collector; also the column's name where the field is one column.
        meaning: what it holds, with its unit.
        content: True for bodies, which are stored apart from the attributes and for a shorter time.
        sources: in order of precedence; filled in from the conventions.
    """

    name: str
    meaning: str
    content: bool = False
    sources: tuple[Source, ...] = ()
