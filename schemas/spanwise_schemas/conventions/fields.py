"""The fields that Spanwise knows of a span and of a resource."""

from typing import Final

from spanwise_schemas.conventions.model import Field

OF_SPAN: Final[tuple[Field, ...]] = (
    Field("kind", "what the span did"),
    Field("provider", "who ran the model"),
    Field("model_request", "model as asked for"),
    Field("model_response", "model that answered"),
    Field("input", "what went in: messages, arguments, a query or text", content=True),
    Field("output", "what came out: messages, a tool's result, documents or text", content=True),
    Field(
        "mime_types", "MIME types of input and output; bodies show by themselves whether they are JSON", content=True
    ),
    Field("vectors", "embeddings as numbers, too large to keep; their texts are in the input", content=True),
    Field("system_instructions", "system prompt where it is apart from the messages", content=True),
    Field("tool_defs", "tools offered to the model", content=True),
    Field("tool_name", "tool that ran"),
    Field("agent_name", "agent at work"),
    Field("finish_reason", "why the model stopped"),
    Field("response_id", "the provider's id of the answer"),
    Field("tok_input", "input tokens, cached ones included"),
    Field("tok_output", "output tokens, reasoning included"),
    Field("tok_cache_read", "input tokens read from the provider's cache"),
    Field("tok_cache_write", "input tokens written to the provider's cache"),
    Field("tok_reasoning", "output tokens spent on reasoning"),
    Field("tok_total", "all tokens as the source added them up; kept in usage_extra"),
    Field("tok_audio_input", "audio tokens among the input; kept in usage_extra"),
    Field("tok_audio_output", "audio tokens among the output; kept in usage_extra"),
    Field("cost_total", "cost as the source says it"),
    Field("cost_input", "the input's part of a reported cost"),
    Field("cost_output", "the output's part of a reported cost"),
    Field("ttft_us", "time to the first token, in microseconds"),
    Field("session_id", "conversation or session"),
    Field("user_id", "the application's user"),
    Field("tags", "the application's labels"),
    Field("prompt_name", "name of the prompt used"),
    Field("prompt_version", "version of the prompt used"),
    Field("error_type", "class of the error"),
    Field("error_message", "the error in words, where the status has none"),
    Field("error_level", "that the span failed, where its status does not say so"),
    Field("params", "parameters of the request: temperature, token limit, ..."),
    Field("streaming", "whether the answer was streamed"),
    Field("tool_call_id", "the model's id of the tool call that this span carried out"),
    Field("tok_cache_write_1h", "of the cache writes, those kept for an hour; kept in usage_extra"),
    Field("first_token_at", "when the first token came, in microseconds since the epoch; for ttft_us"),
    Field("usage", "token counts in one object; for the fields of tokens"),
    Field("output_format", "form asked of the answer: a word such as `json`, or a JSON Schema"),
    Field("fingerprint", "what the sender takes for one problem, in place of our own rules"),
)
"""Fields read from a span's attributes; a field's position is its slot."""

OF_RESOURCE: Final[tuple[Field, ...]] = (
    Field("project_id", "project; `default` where none is named"),
    Field("env", "deployment environment"),
    Field("service", "service name"),
    Field("release", "release of the service"),
    Field("sdk_name", "SDK that sent it, first part of the column `sdk`"),
    Field("sdk_version", "its version, second part of the column `sdk`"),
)
"""Fields read from the resource's attributes; they hold for all its spans."""
