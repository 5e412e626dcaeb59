"""What the package openai raises, with error bodies as OpenAI and Azure answer them."""

from typing import Any, Final

import openai
from recording import Answers, Body, Stub, fail, fail_all
from values import Values


def body(message: Body, code: str | None, kind: str = "invalid_request_error", param: str | None = None) -> Body:
    """An error body around a message."""
    return lambda v: {"error": {"message": message(v), "type": kind, "param": param, "code": code}}


def limit(what: str) -> Body:
    """A rate limit."""
    return lambda v: (
        f"Rate limit reached for {v.gpt} in organization {v.id('org-')} on {what}: Limit {v.n(3, 90)}0000,"
        f" Used {v.n(10_000, 900_000)}, Requested {v.n(100, 9_000)}. Please try again in {v.n(1, 5_999) / 1000}s."
        " Visit https://platform.openai.com/account/rate-limits to learn more."
    )


OPENAI: Final[Answers] = {
    "openai/limit tokens per minute": (429, body(limit("tokens per min (TPM)"), "rate_limit_exceeded", "tokens")),
    "openai/limit requests per minute": (429, body(limit("requests per min (RPM)"), "rate_limit_exceeded", "requests")),
    "openai/limit requests per day": (429, body(limit("requests per day (RPD)"), "rate_limit_exceeded", "requests")),
    "openai/quota": (
        429,
        body(
            lambda v: (
                "You exceeded your current quota, please check your plan and billing details. For more information on"
                " this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."
            ),
            "insufficient_quota",
            "insufficient_quota",
        ),
    ),
    "openai/wrong key": (
        401,
        body(
            lambda v: (
                f"Incorrect API key provided: sk-{v.id('', 4)}************{v.id('', 4)}. You can find your API key at"
                " https://platform.openai.com/account/api-keys."
            ),
            "invalid_api_key",
        ),
    ),
    "openai/no such model": (
        404,
        body(
            lambda v: f"The model `{v.gpt}-{v.name}` does not exist or you do not have access to it.", "model_not_found"
        ),
    ),
    "openai/context length": (
        400,
        body(
            lambda v: (
                f"This model's maximum context length is {v.n(4, 128) * 1000} tokens. However, your messages resulted"
                " in"
                f" {v.n(130_000, 900_000)} tokens. Please reduce the length of the messages."
            ),
            "context_length_exceeded",
            param="messages",
        ),
    ),
    "openai/context length of completion": (
        400,
        body(
            lambda v: (
                f"This model's maximum context length is {v.n(4, 128) * 1000} tokens. However, you requested"
                f" {v.n(130_000, 900_000)} tokens ({v.n(9_000, 99_000)} in the messages, {v.n(100, 900)} in the"
                " functions,"
                f" and {v.n(1_000, 16_000)} in the completion). Please reduce the length of the messages, functions, or"
                " completion."
            ),
            "context_length_exceeded",
            param="messages",
        ),
    ),
    "openai/max_tokens too large": (
        400,
        body(
            lambda v: (
                f"max_tokens is too large: {v.n(20_000, 99_000)}. This model supports at most {v.n(4, 16) * 1024}"
                f" completion tokens, whereas you provided {v.n(20_000, 99_000)}."
            ),
            "invalid_value",
            param="max_tokens",
        ),
    ),
    "openai/unsupported parameter": (
        400,
        body(
            lambda v: (
                f"Unsupported parameter: '{v.one_of('max_tokens', 'top_p', 'logprobs', 'stop', 'presence_penalty')}'"
                " is not"
                f" supported with this model."
            ),
            "unsupported_parameter",
        ),
    ),
    "openai/unsupported value": (
        400,
        body(
            lambda v: (
                f"Unsupported value: '{v.one_of('temperature', 'top_p', 'n')}' does not support {v.n(0, 99) / 100}"
                " with this"
                " model. Only the default (1) value is supported."
            ),
            "unsupported_value",
        ),
    ),
    "openai/invalid type": (
        400,
        body(
            lambda v: (
                f"Invalid type for 'messages[{v.n(0, 40)}].content': expected one of a string or array of objects, but"
                " got"
                f" {v.one_of('an integer', 'an object', 'a boolean')} instead."
            ),
            "invalid_type",
        ),
    ),
    "openai/string too long": (
        400,
        body(
            lambda v: (
                f"Invalid 'messages[{v.n(0, 40)}].content': string too long. Expected a string with maximum length"
                " 1048576,"
                f" but got a string with length {v.n(1_050_000, 9_000_000)} instead."
            ),
            "string_above_max_length",
        ),
    ),
    "openai/integer below minimum": (
        400,
        body(
            lambda v: (
                f"Invalid '{v.one_of('max_tokens', 'n', 'top_logprobs')}': integer below minimum value. Expected a"
                " value >="
                f" {v.n(0, 1)}, but got {-v.n(1, 99)} instead."
            ),
            "integer_below_min_value",
        ),
    ),
    "openai/unknown parameter": (400, body(lambda v: f"Unknown parameter: '{v.column}'.", "unknown_parameter")),
    "openai/missing parameter": (
        400,
        body(lambda v: f"Missing required parameter: 'tools[{v.n(0, 30)}].function'.", "missing_required_parameter"),
    ),
    "openai/tool call without answer": (
        400,
        body(
            lambda v: (
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
                " 'tool_call_id'. The following tool_call_ids did not have response messages: "
                + ", ".join(v.id("call_") for _ in range(v.n(1, 4)))
            ),
            None,
            param="messages",
        ),
    ),
    "openai/tool answer without call": (
        400,
        body(
            lambda v: (
                "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with"
                " 'tool_calls'."
            ),
            None,
            param="messages",
        ),
    ),
    "openai/function schema": (
        400,
        body(
            lambda v: (
                f"Invalid schema for function '{v.name}': In context=('properties', '{v.column}'),"
                " 'additionalProperties'"
                " is required to be supplied and to be false."
            ),
            "invalid_function_parameters",
        ),
    ),
    "openai/image download": (
        400,
        body(lambda v: f"Error while downloading https://{v.host}/{v.name}/{v.hex(12)}.png.", "invalid_image_url"),
    ),
    "openai/safety": (
        400,
        body(
            lambda v: (
                "Your request was rejected as a result of our safety system. If you believe this is an error, contact"
                " us at"
                f" help.openai.com and include the request ID {v.id('req_')}."
            ),
            "moderation_blocked",
        ),
    ),
    "openai/server error": (
        500,
        body(
            lambda v: (
                "The server had an error while processing your request. Sorry about that! You can retry your request,"
                " or"
                f" contact us through our help center at help.openai.com if the error persists. (Please include the"
                f" request ID {v.id('req_')} in your message.)"
            ),
            None,
            "server_error",
        ),
    ),
    "openai/overloaded": (
        503,
        body(
            lambda v: (
                "That model is currently overloaded with other requests. You can retry your request, or contact us"
                " through"
                " our help center at help.openai.com if the error persists. (Please include the request ID"
                f" {v.hex(32)} in"
                " your message.)"
            ),
            None,
            "server_error",
        ),
    ),
}
AZURE: Final[Answers] = {
    "azure/limit tokens": (
        429,
        body(
            lambda v: (
                f"Requests to the {v.one_of('ChatCompletions_Create', 'Embeddings_Create')} Operation under Azure"
                " OpenAI API"
                f" version 2024-{v.n(10, 12)}-01-preview have exceeded token rate limit of your current OpenAI S0"
                " pricing"
                f" tier. Please retry after {v.n(1, 60)} seconds. Please go here: https://aka.ms/oai/quotaincrease if"
                " you"
                " would like to further increase the default rate limit."
            ),
            "429",
            "",
        ),
    ),
    "azure/no deployment": (
        404,
        lambda v: {
            "error": {
                "code": "DeploymentNotFound",
                "message": "The API deployment for this resource does not exist. If you created the deployment within"
                " the last 5 minutes, please wait a moment and try again.",
            }
        },
    ),
    "azure/content filter": (
        400,
        lambda v: {
            "error": {
                "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management"
                " policy. Please modify your prompt and retry. To learn more about our content filtering policies"
                " please"
                " read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766",
                "type": None,
                "param": "prompt",
                "code": "content_filter",
                "status": 400,
                "innererror": {
                    "code": "ResponsibleAIPolicyViolation",
                    "content_filter_result": {
                        name: {"filtered": v.n(0, 1) == 1, "severity": v.one_of("safe", "low", "medium", "high")}
                        for name in ("hate", "self_harm", "sexual", "violence")
                    },
                },
            }
        },
    ),
}


def main() -> None:
    """Fail in all ways."""
    stub = Stub()
    messages: Any = [{"role": "user", "content": "Where is my order?"}]
    client = openai.OpenAI(base_url=stub.url + "/v1", api_key="unused", max_retries=0, timeout=0.3)
    azure = openai.AzureOpenAI(
        azure_endpoint=stub.url, api_version="2024-10-21", api_key="unused", max_retries=0, timeout=2
    )

    def call(values: Values, by: Any = client) -> object:
        return by.chat.completions.create(model="gpt-4o", messages=messages)

    fail_all(stub, "openai", OPENAI, call)
    fail_all(stub, "azure.ai.openai", AZURE, lambda values: call(values, azure))
    stub.status = -1
    fail("openai/timeout", "openai", call)
    nowhere = openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="unused", max_retries=0)
    fail("openai/connection", "openai", lambda values: call(values, nowhere))
    fail(
        "openai/no key",
        "openai",
        lambda values: openai.OpenAI(base_url=stub.url).chat.completions.create(model="gpt-4o", messages=messages),
    )


main()
