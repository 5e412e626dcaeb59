"""Exceptions that LangSmith wraps in a bare one."""

import pytest

from spanwise_collector.normalise.failures import tells_failure, unwrapped_exception


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("Exception", "APITimeoutError('Timed out.')\n\nTraceback (most recent call last):\n  File"), "Timed out."),
        (("Exception", "APITimeoutError('Timed out.')Traceback (most recent call last):\n\n\n  File"), "Timed out."),
        (("Exception", 'APITimeoutError("It\'s late.")'), "It's late."),
        (("Exception", "APITimeoutError()"), ""),
    ],
)
def test_inner_exception(given: tuple[str, str], words: str) -> None:
    """The representation in the message names type and words."""
    assert unwrapped_exception(*given) == ("APITimeoutError", words)


@pytest.mark.parametrize("given", [("ValueError", "KeyError('x')"), ("Exception", "went wrong"), ("Exception", "")])
def test_plain_exception_stays(given: tuple[str, str]) -> None:
    """Another type, and words that are no representation, are taken as they are."""
    assert unwrapped_exception(*given) == given


def test_only_langsmith_fails_by_event() -> None:
    """In other scopes an exception may have been handled."""
    assert tells_failure("langsmith")
    assert not tells_failure("app")
