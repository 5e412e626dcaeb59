"""The value that every reader of model answers produces."""

from dataclasses import dataclass, field

from spanwise._messages import Message
from spanwise_schemas import attributes as names


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call, as the GenAI conventions count them.

    Attributes:
        input_tokens: all input tokens, cached ones included.
        output_tokens: all output tokens, reasoning included.
        cache_read_tokens: part of the input that came from a cache.
        cache_write_tokens: part of the input that was written to a cache.
        cache_write_1h_tokens: part of these that is kept for an hour, which costs more.
        reasoning_tokens: part of the output spent on reasoning.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    reasoning_tokens: int | None = None

    def attributes(self) -> dict[str, int]:
        """The numbers that are known, under their attribute names."""
        pairs = (
            (names.INPUT_TOKENS, self.input_tokens),
            (names.OUTPUT_TOKENS, self.output_tokens),
            (names.CACHE_READ_TOKENS, self.cache_read_tokens),
            (names.CACHE_WRITE_TOKENS, self.cache_write_tokens),
            (names.CACHE_WRITE_1H_TOKENS, self.cache_write_1h_tokens),
            (names.REASONING_TOKENS, self.reasoning_tokens),
        )
        return {name: value for name, value in pairs if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one answer of a model says.

    Attributes:
        provider: `gen_ai.provider.name`.
        operation: `gen_ai.operation.name`.
        model: the model that answered.
        response_id: the provider's id of the answer.
        finish_reasons: one per message.
        messages: the answer in OpenTelemetry's form.
        usage: tokens.
    """

    provider: str
    operation: str
    model: str | None = None
    response_id: str | None = None
    finish_reasons: tuple[str, ...] = ()
    messages: list[Message] = field(default_factory=list)
    usage: Usage = Usage()

    def attributes(self) -> dict[str, str | int | tuple[str, ...]]:
        """Everything but the messages, under its attribute name."""
        found: dict[str, str | int | tuple[str, ...]] = {names.PROVIDER: self.provider}
        if self.model:
            found[names.RESPONSE_MODEL] = self.model
        if self.response_id:
            found[names.RESPONSE_ID] = self.response_id
        if self.finish_reasons:
            found[names.FINISH_REASONS] = self.finish_reasons
        found.update(self.usage.attributes())
        return found


def whole(value: object) -> int | None:
    """A token count, or None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
