"""Errors of providers, clients and applications: their class, and what makes two of them the same problem."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.failures.classes import CLASSES
from spanwise_collector.failures.errors import Error, error_found
from spanwise_collector.failures.told import Told, told


def error(error_type: str, message: str, **values: object) -> Error:
    """An error without status, provider and frames unless said otherwise."""
    found = {"http_status": 0, "provider": "", "frames": ()} | values
    return Error(error_type, message, **found)  # type: ignore[arg-type]


GEMINI = (
    "429 RESOURCE_EXHAUSTED. {{'error': {{'code': 429, 'message': 'You exceeded your current quota, please check your "
    "plan and billing details.', 'status': 'RESOURCE_EXHAUSTED', 'details': [{{'quotaId': "
    "'GenerateRequests{per}PerProjectPerModel-FreeTier'}}]}}}}"
)
ANTHROPIC = "Error code: {} - {{'type': 'error', 'error': {{'type': '{}', 'message': '{}'}}}}"
BOTO = "An error occurred ({}) when calling the ConverseStream operation (reached max retries: 4): {}"
LANGCHAIN = (
    "OpenAITimeoutError('Request timed out.')Traceback (most recent call last):\n\n  File \"x.py\", line 1, in f"
)


@pytest.mark.parametrize(
    ("error_type", "message", "expected"),
    [
        # openai
        (
            "openai.RateLimitError",
            "Error code: 429 - Rate limit reached on tokens per min (TPM)",
            ("rate_limit", "tokens"),
        ),
        (
            "openai.RateLimitError",
            "Error code: 429 - Rate limit reached on requests per min",
            ("rate_limit", "requests"),
        ),
        (
            "openai.RateLimitError",
            "Error code: 429 - You exceeded your current quota, check your plan and billing.",
            ("quota", ""),
        ),
        (
            "openai.RateLimitError",
            "Error code: 429 - {'error': {'message': 'x', 'code': 'insufficient_quota'}}",
            ("quota", ""),
        ),
        (
            "openai.BadRequestError",
            "Error code: 400 - This model's maximum context length is 128000 tokens.",
            ("context_overflow", ""),
        ),
        (
            "openai.BadRequestError",
            "Error code: 400 - {'error': {'message': 'x', 'code': 'content_filter'}}",
            ("content_filter", "request"),
        ),
        ("openai.BadRequestError", "Error code: 400 - Unknown parameter: 'x'.", ("exception", "bad_request")),
        ("openai.AuthenticationError", "Error code: 401 - Incorrect API key provided: sk-x.", ("authentication", "")),
        ("openai.OpenAIError", "Missing credentials. Please pass an `api_key`.", ("authentication", "")),
        ("openai.NotFoundError", "Error code: 404 - The model `x` does not exist.", ("exception", "not_found")),
        ("openai.InternalServerError", "Error code: 500 - The server had an error.", ("exception", "server_error")),
        ("openai.APITimeoutError", "Request timed out.", ("timeout", "")),
        ("openai.APIConnectionError", "Connection error.", ("exception", "connection")),
        (
            "openai.LengthFinishReasonError",
            "Could not parse response as the length limit was reached",
            ("truncation", "parser"),
        ),
        # anthropic
        ("anthropic.OverloadedError", ANTHROPIC.format(529, "overloaded_error", "Overloaded"), ("overload", "")),
        (
            "anthropic.BadRequestError",
            ANTHROPIC.format(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000"),
            ("context_overflow", ""),
        ),
        (
            "anthropic.BadRequestError",
            ANTHROPIC.format(400, "invalid_request_error", "Your credit balance is too low"),
            ("quota", ""),
        ),
        (
            "anthropic.PermissionDeniedError",
            ANTHROPIC.format(403, "permission_error", "no"),
            ("authentication", "permission"),
        ),
        ("TypeError", "Could not resolve authentication method. Expected one of api_key", ("authentication", "")),
        ("rate_limit_error", "", ("rate_limit", "")),
        ("client_timeout_error", "", ("timeout", "")),
        # google-genai
        ("google.genai.errors.ClientError", GEMINI.format(per="PerMinute"), ("rate_limit", "requests")),
        ("google.genai.errors.ClientError", GEMINI.format(per="PerDay"), ("quota", "")),
        (
            "google.genai.errors.ServerError",
            "503 UNAVAILABLE. {'error': {'code': 503, 'message': 'Overloaded.', 'status': 'UNAVAILABLE'}}",
            ("overload", ""),
        ),
        ("429", "429 RESOURCE_EXHAUSTED. {'error': {'code': 429, 'message': 'Slow down'}}", ("rate_limit", "")),
        # botocore
        (
            "botocore.errorfactory.ThrottlingException",
            BOTO.format("ThrottlingException", "Too many tokens, please wait before trying again."),
            ("rate_limit", "tokens"),
        ),
        (
            "botocore.exceptions.EventStreamError",
            BOTO.format("validationException", "Input is too long for requested model."),
            ("context_overflow", ""),
        ),
        ("botocore.exceptions.NoCredentialsError", "Unable to locate credentials", ("authentication", "")),
        # httpx, requests
        ("httpx.ReadTimeout", "", ("timeout", "")),
        ("httpx.HTTPStatusError", "Client error '401 Unauthorized' for url 'https://x.test/'", ("authentication", "")),
        (
            "requests.exceptions.HTTPError",
            "504 Server Error: Gateway Timeout for url: https://x.test/",
            ("timeout", "gateway"),
        ),
        (
            "httpx.RemoteProtocolError",
            "peer closed connection without sending complete message body",
            ("exception", "connection"),
        ),
        # frameworks
        (
            "litellm.exceptions.RateLimitError",
            "litellm.RateLimitError: RateLimitError: OpenAIException - Slow down",
            ("rate_limit", ""),
        ),
        (
            "litellm.exceptions.ContextWindowExceededError",
            "litellm.ContextWindowExceededError: x",
            ("context_overflow", ""),
        ),
        ("litellm.Timeout", "litellm.Timeout: APITimeoutError - Request timed out.", ("timeout", "")),
        (
            "pydantic_ai.exceptions.ModelHTTPError",
            "status_code: 429, model_name: gpt-4o, body: {'message': 'Slow down'}",
            ("rate_limit", ""),
        ),
        ("langchain_openai.chat_models.base.OpenAITimeoutError", LANGCHAIN, ("timeout", "")),
        (
            "langchain_core.exceptions.OutputParserException",
            "Invalid json output: rate limit timed out",
            ("invalid_json", "parser"),
        ),
        ("", "Error getting response: {'error': 'Error code: 429 - Slow down.'}", ("rate_limit", "")),
        (
            "_OTHER",
            "{'message': 'Error in agent run', 'data': {'error': 'Error code: 500 - Fell over.'}}",
            ("error", "server_error"),
        ),
        (
            "pydantic_ai.exceptions.UnexpectedModelBehavior",
            "Exceeded maximum retries (1) for output validation",
            ("schema_violation", "validation"),
        ),
        ("agents.exceptions.ModelBehaviorError", "Tool serch not found in agent Bot", ("hallucinated_tool", "")),
        # an application's own
        ("ValueError", "could not convert string to float: 'x'", ("exception", "")),
        ("asyncio.exceptions.CancelledError", "", ("exception", "cancelled")),
        ("", "it broke", ("error", "")),
        ("", "", ("error", "")),
    ],
)
def test_classes(error_type: str, message: str, expected: tuple[str, str]) -> None:
    """What client packages raise has its class and finer class."""
    found = error_found(error(error_type, message), "chat")
    assert expected == (found.failure_class, found.sub)
    assert not found.sub or found.sub in CLASSES[found.failure_class].subs


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, "authentication"),
        (402, "quota"),
        (403, "authentication"),
        (408, "timeout"),
        (413, "context_overflow"),
        (429, "rate_limit"),
        (503, "overload"),
        (504, "timeout"),
        (529, "overload"),
        (418, "exception"),
        (500, "exception"),
    ],
)
def test_a_status_alone(status: int, expected: str) -> None:
    """An attribute with the HTTP status tells the class where nothing else does."""
    assert expected == error_found(error("HTTPError", "", http_status=status), "GET").failure_class


@pytest.mark.parametrize(
    ("error_type", "message", "expected"),
    [
        ("openai.RateLimitError", "Error code: 429 - Slow down.", Told(429, "", "Slow down.")),
        (
            "RateLimitError",
            "RateLimitError: Error code: 429 - {'error': {'message': 'Slow down.', 'code': 'rate_limit_exceeded'}}",
            Told(429, "rate_limit_exceeded", "Slow down."),
        ),
        (
            "litellm.exceptions.RateLimitError",
            "litellm.RateLimitError: RateLimitError: OpenAIException - Slow down.",
            Told(0, "", "Slow down."),
        ),
        ("langchain.OpenAITimeoutError", LANGCHAIN, Told(0, "", "Request timed out.")),
        (
            "ClientError",
            "An error occurred (ThrottlingException) when calling the Converse operation: Slow down.",
            Told(0, "ThrottlingException", "Slow down."),
        ),
        ("", "{'message': 'Error in agent run', 'data': {'error': 'Slow down.'}}", Told(0, "", "Slow down.")),
        ("GeneratorExit", "GeneratorExit()", Told(0, "", "")),
        ("ValueError", "order 429 is unknown", Told(0, "", "order 429 is unknown")),
    ],
)
def test_what_an_error_says(error_type: str, message: str, expected: Told) -> None:
    """Status, code and words come out of the layers that clients put around them."""
    assert expected == told(error_type, message, 0)


def test_one_problem_in_many_wrappings() -> None:
    """The same answer of a provider, reported by several clients with other numbers in it, is one problem."""
    messages = [
        "Error code: 429 - Slow down, request 7 of 9.",
        "RateLimitError: Error code: 429 - Slow down, request 12 of 20.",
        "RateLimitError('Error code: 429 - Slow down, request 1 of 2.')Traceback (most recent call last):\n",
    ]
    found = {error_found(error("openai.RateLimitError", one, provider="openai"), "chat").key for one in messages}
    assert 1 == len(found)


def test_own_frames_go_before_words() -> None:
    """An exception of the application is told by where it came up; without frames by its words."""
    here, there = (("app.orders", "parse"),), (("app.users", "parse"),)
    keys = [
        error_found(error("ValueError", "no order 7", frames=here), "a").key,
        error_found(error("app.ValueError", "no user at all", frames=here), "b").key,
        error_found(error("ValueError", "no order 7", frames=there), "a").key,
        error_found(error("ValueError", "no order 7"), "a").key,
        error_found(error("ValueError", "no order 9"), "b").key,
    ]
    assert keys[0] == keys[1]
    assert keys[3] == keys[4]
    assert 3 == len(set(keys))


def test_titles() -> None:
    """A title says what happened, who says so, and where it came up."""
    limit = error("openai.RateLimitError", "Error code: 429 - Slow down, number 7.", provider="openai")
    broken = error("app.BrokenError", "no order 7", frames=(("app.orders", "parse"),))
    assert "Rate limit (openai 429): Slow down, number <num>." == error_found(limit, "chat").title
    assert "BrokenError in app.orders.parse: no order <num>" == error_found(broken, "chat").title
    assert "Failed: nightly" == error_found(error("", ""), "nightly").title


@given(st.text(max_size=60), st.text(max_size=600))
def test_any_error(error_type: str, message: str) -> None:
    """Every text has a class, the same each time."""
    found = error_found(error(error_type, message), "x")
    assert found.failure_class in CLASSES
    assert found == error_found(error(error_type, message), "x")
