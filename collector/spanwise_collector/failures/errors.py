"""Errors: from an exception's type, an HTTP status and what the provider says to a class."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from spanwise_collector.failures.failure import Found
from spanwise_collector.failures.frames import Frame
from spanwise_collector.failures.masks import VERSION, mask
from spanwise_collector.failures.told import Told, said_text, told
from spanwise_evaluators.reading.short import short

Class = tuple[str, str]
"""Class and finer class."""
PROVIDER_CLASSES: Final = frozenset(
    {"timeout", "rate_limit", "overload", "authentication", "quota", "context_overflow", "content_filter"}
)
_MASKS: Final = f"m{VERSION}"
_NO_TYPE: Final = frozenset({"", "_OTHER", "Error", "error"})


def _named(*rules: tuple[str, Class]) -> Sequence[tuple[re.Pattern[str], Class]]:
    return [(re.compile(pattern), found) for pattern, found in rules]


_GIVEN_UP: Final = ("schema_violation", "validation")
_PARSERS: Final = _named(
    (r"LengthFinishReason|MaxTokensReached|IncompleteOutput|IncompleteToolCall", ("truncation", "parser")),
    (r"ContentFilterFinishReason|ContentFilterError", ("content_filter", "parser")),
    (r"OutputParserException|AdapterParseError|OutputParsingError|NoObjectGenerated", ("invalid_json", "parser")),
    (r"InvalidToolArguments|InvalidToolInput", ("wrong_arguments", "")),
    (r"NoSuchTool|UnknownTool", ("hallucinated_tool", "")),
)
"""Exceptions of clients that read an answer: their messages quote it, so that nothing in these may be searched."""

_CODES: Final[Mapping[str, Class]] = {
    "context_length_exceeded": ("context_overflow", ""),
    "string_above_max_length": ("context_overflow", ""),
    "request_too_large": ("context_overflow", ""),
    "content_filter": ("content_filter", "request"),
    "content_policy_violation": ("content_filter", "request"),
    "moderation_blocked": ("content_filter", "request"),
    "responsibleaipolicyviolation": ("content_filter", "request"),
    "insufficient_quota": ("quota", ""),
    "billing_hard_limit_reached": ("quota", ""),
    "billing_not_active": ("quota", ""),
    "billing_error": ("quota", ""),
    "servicequotaexceededexception": ("quota", ""),
    "invalid_api_key": ("authentication", ""),
    "authentication_error": ("authentication", ""),
    "unauthenticated": ("authentication", ""),
    "unrecognizedclientexception": ("authentication", ""),
    "expiredtokenexception": ("authentication", ""),
    "invalidsignatureexception": ("authentication", ""),
    "permission_error": ("authentication", "permission"),
    "permission_denied": ("authentication", "permission"),
    "accessdeniedexception": ("authentication", "permission"),
    "rate_limit_exceeded": ("rate_limit", ""),
    "rate_limit_error": ("rate_limit", ""),
    # Gemini's word for limits per minute as well as for credit; `_limit` tells them apart.
    "resource_exhausted": ("rate_limit", ""),
    "throttlingexception": ("rate_limit", ""),
    "toomanyrequestsexception": ("rate_limit", ""),
    "overloaded_error": ("overload", ""),
    "engine_overloaded": ("overload", ""),
    "slow_down": ("overload", ""),
    "service_tier_capacity_exceeded": ("overload", ""),
    "unavailable": ("overload", ""),
    "serviceunavailableexception": ("overload", ""),
    "modelnotreadyexception": ("overload", ""),
    "timeout_error": ("timeout", ""),
    "client_timeout_error": ("timeout", ""),
    "modeltimeoutexception": ("timeout", ""),
    "deadline_exceeded": ("timeout", ""),
    "connection_error": ("exception", "connection"),
}
"""The provider's code, in lower case."""

_WORDS: Final = _named(
    # What agent frameworks say of an answer that they gave up on.
    (r"(?i)exceeded maximum (?:output )?retries \(\d{1,3}\)(?: for (?:output|result) validation)?$", _GIVEN_UP),
    (r"^Tool \S{1,128} not found in agent ", ("hallucinated_tool", "")),
    (
        r"(?i)maximum context length|context[ _](?:window|length|limit)|prompt is too long|input is too long"
        r"|(?:input )?token count[^.]{0,40} exceeds|exceeds? the (?:maximum|configured limit)[^.]{0,40} tokens"
        r"|[Ii]nput tokens exceed|too many (?:input )?tokens: |expected maxLength",
        ("context_overflow", ""),
    ),
    (
        r"(?i)content management policy|content filter(?:ing)?|content policy|PROHIBITED_CONTENT"
        r"|rejected (?:as a result of|by) (?:our|the) safety system|blocked by [^.]{0,30}guardrail",
        ("content_filter", "request"),
    ),
    (
        r"(?i)credit balance is too low|insufficient (?:credits?|funds|balance)|billing hard limit"
        r"|budget has been exceeded|spending limit|requires more credits",
        ("quota", ""),
    ),
    (
        r"(?i)incorrect api key|invalid (?:x-)?api[- ]?key|api key (?:not valid|expired|not found)|missing credentials"
        r"|could not resolve authentication|unable to locate credentials|api_key client option must be set"
        r"|default credentials were not found|security token[^.]{0,30} (?:invalid|expired)",
        ("authentication", ""),
    ),
    (
        r"(?i)rate[ _]?limit(?:ed)? |too many requests|too many tokens, please wait|quota exceeded for",
        ("rate_limit", ""),
    ),
    (r"(?i)\boverloaded\b|over capacity|temporarily unavailable", ("overload", "")),
    (r"(?i)\btimed? ?out\b|deadline exceeded", ("timeout", "")),
    (
        r"(?i)^\W*connection error|peer closed connection|connection (?:reset|refused|aborted)|server disconnected",
        ("exception", "connection"),
    ),
)

_NAMES: Final = _named(
    (r"ContextWindowExceeded|ContextLength|ContextOverflow|ContentTooLarge", ("context_overflow", "")),
    (
        r"ContentPolicyViolation|ContentFilter|BlockedPrompt|GuardrailRaised|GuardrailTripwire",
        ("content_filter", "request"),
    ),
    (r"InsufficientQuota|BudgetExceeded|PaymentRequired|QuotaExceeded", ("quota", "")),
    (r"PermissionDenied|Forbidden|AccessDenied", ("authentication", "permission")),
    (r"Authentication|Unauthorized|Unauthenticated|Credential|InvalidApiKey|APIKeyError", ("authentication", "")),
    (r"RateLimit|Throttl|TooManyRequests|ResourceExhausted", ("rate_limit", "")),
    (r"Overloaded|ServiceUnavailable|ModelNotReady", ("overload", "")),
    (r"Time[Oo]ut|DeadlineExceeded", ("timeout", "")),
    (
        r"Connect|RemoteProtocol|LocalProtocol|ReadError|WriteError|NetworkError|SSLError|BrokenPipe|ClosedResource|gaierror",
        ("exception", "connection"),
    ),
    (r"InternalServer|ServerError|APIError|ServiceException", ("exception", "server_error")),
    (r"BadRequest|InvalidRequest|Unprocessable", ("exception", "bad_request")),
    (r"GeneratorExit|Cancelled|KeyboardInterrupt|Abort", ("exception", "cancelled")),
)
"""The exception's type, without its module."""

_STATUSES: Final[Mapping[int, Class]] = {
    401: ("authentication", ""),
    402: ("quota", ""),
    403: ("authentication", "permission"),
    404: ("exception", "not_found"),
    408: ("timeout", ""),
    413: ("context_overflow", ""),
    429: ("rate_limit", ""),
    503: ("overload", ""),
    504: ("timeout", ""),
    524: ("timeout", ""),
    529: ("overload", ""),
}

_GATEWAY: Final = frozenset({504, 524})
_PER_DAY_OR_CREDIT: Final = re.compile(r"PerDay|(?i:plan and billing|insufficient)")
_PER_MINUTE: Final = re.compile(r"(?i)per ?min|per ?second|\b[TR]PM\b")
_OF_TOKENS: Final = re.compile(r"(?i)tokens? per|\bTP[MD]\b|tokens?PerM|token_count|too many tokens")
_OF_REQUESTS: Final = re.compile(r"(?i)requests? per|\bRP[MD]\b|requestsPer|too many requests|number of requests")
_LABELS: Final[Mapping[str, str]] = {
    "timeout": "Timeout",
    "rate_limit": "Rate limit",
    "overload": "Overloaded",
    "authentication": "Authentication failed",
    "quota": "Quota used up",
    "context_overflow": "Input longer than the model takes",
    "content_filter": "Stopped by a content filter",
}


@dataclass(frozen=True, slots=True)
class Error:
    """An error as a span has it.

    Attributes:
        error_type: class of the exception, with or without its module; or what the source says.
        message: in words.
        http_status: what an attribute says; 0 for nothing.
        provider: who ran the model; "" where that is not known.
        frames: the application's own, the innermost first.
    """

    error_type: str
    message: str
    http_status: int
    provider: str
    frames: tuple[Frame, ...]

    @property
    def name(self) -> str:
        """The type without its module; "" where the source only says that there was one."""
        if self.error_type in _NO_TYPE or self.error_type.isdecimal():
            return ""
        return self.error_type.rpartition(".")[2]


def error_class(error: Error, said: Told) -> Class:
    """Class and finer class of an error."""
    name = error.name
    text = said_text(error.message)
    found = _first(_PARSERS, name) or _CODES.get(said.code.lower())
    if found is None:
        found = _first(_WORDS, text) or _by_status(said.status) or _first(_NAMES, name)
    if found is None:
        return ("exception" if name else "error"), ""
    if found[0] in ("rate_limit", "quota"):
        return _limit(found[0], text)
    if found[0] == "timeout" and said.status in _GATEWAY:
        return "timeout", "gateway"
    return found if name or found[0] != "exception" else ("error", found[1])


def error_found(error: Error, span: str) -> Found:
    """A failing span that is no tool.

    Args:
        error: what it says.
        span: its name, for errors that say nothing.
    """
    said = told(error.error_type, error.message, error.http_status)
    failure_class, sub = error_class(error, said)
    words = mask(said.words)
    key = (sub, *error_key(error, said, failure_class, words))
    title = error_title(error, said, failure_class, words)
    if words or error.frames or said.code:
        return Found(failure_class, sub, title, key)
    return Found(failure_class, sub, f"{title}: {short(span)}", (*key, mask(span)))


def error_key(error: Error, said: Told, failure_class: str, words: str) -> tuple[str, ...]:
    """What makes two errors of a class the same problem.

    The span's name, kind and provider do not, since each span that an exception passes on its way up reports it again,
    and only the model call knows the provider.
    """
    if _first(_PARSERS, error.name):
        return (error.name,)
    if failure_class in PROVIDER_CLASSES or said.status or (said.code and not error.frames):
        return str(said.status or ""), said.code, _MASKS, words
    if error.frames:
        return error.name, *map(".".join, error.frames)
    return error.name, _MASKS, words


def error_title(error: Error, said: Told, failure_class: str, words: str) -> str:
    """What happened, who says so, and where."""
    label = _LABELS.get(failure_class) or error.name or "Failed"
    about = " ".join(part for part in (error.provider, str(said.status or ""), said.code) if part)
    where = f" in {'.'.join(error.frames[0])}" if error.frames and label == error.name else ""
    head = f"{label}{where}" if where or not about else f"{label} ({about})"
    return f"{head}: {words}" if words else head


def _first(rules: Sequence[tuple[re.Pattern[str], Class]], text: str) -> Class | None:
    return next((found for pattern, found in rules if pattern.search(text)), None) if text else None


def _by_status(status: int) -> Class | None:
    found = _STATUSES.get(status)
    if found is None and status >= 400:
        return "exception", "server_error" if status >= 500 else "bad_request"
    return found


def _limit(failure_class: str, text: str) -> Class:
    """Whether a limit will pass by itself, and of what it is.

    Gemini says of both that a quota was exceeded, and only its details tell a limit per minute from one per day.
    """
    if _PER_MINUTE.search(text):
        failure_class = "rate_limit"
    elif _PER_DAY_OR_CREDIT.search(text):
        failure_class = "quota"
    if failure_class == "quota":
        return "quota", ""
    return "rate_limit", "tokens" if _OF_TOKENS.search(text) else "requests" if _OF_REQUESTS.search(text) else ""
