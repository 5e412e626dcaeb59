"""Failures that only an event tells: clients that set a span's status before they know how it ends."""

from typing import Final

from spanwise_schemas.conventions import FAILED_BY_EVENT

_CUT: Final = "Traceback (most recent call last)"


def tells_failure(scope: str) -> bool:
    """Whether an `exception` event in a span of this scope means that the span failed, whatever its status."""
    return scope in FAILED_BY_EVENT


def unwrapped_exception(error_type: str, message: str) -> tuple[str, str]:
    """An exception that was recorded as a bare `Exception` with another's representation and traceback as its message.

    Args:
        error_type: `exception.type`.
        message: `exception.message`: `RateLimitError('Slow down')`, then perhaps the traceback.

    Returns:
        Type and message of the inner exception; the same as given where there is none.
    """
    if error_type != "Exception":
        return error_type, message
    head = message.split(_CUT, 1)[0].strip()
    name, opened, words = head.partition("(")
    if not opened or not name.isidentifier() or not words.endswith(")"):
        return error_type, head or message
    words = words[:-1]
    quoted = words[:1] in ("'", '"') and words[-1:] == words[:1] and len(words) > 1
    return name, words[1:-1].replace("\\'", "'") if quoted else words
