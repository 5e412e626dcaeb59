"""What type checkers see of decorated functions: exactly the function. Checked with mypy strict by `make check`."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any, assert_type

import spanwise
from spanwise_evaluators.model import Evaluator, Sample


@spanwise.observe
def plain(x: int, *, y: str = "") -> float:
    """A function."""
    return x + len(y)


@spanwise.observe(name="later", kind="llm", capture_input=False)
async def later(x: int) -> str:
    """A coroutine function."""
    return str(x)


@spanwise.observe
def numbers() -> Generator[int, str, bool]:
    """A generator."""
    got = yield 1
    return got == "x"


@spanwise.session("s")
@spanwise.observe()
async def stream() -> AsyncGenerator[int, None]:
    """An async generator under two decorators."""
    yield 1


def brief(sample: Sample) -> bool:
    """An evaluator."""
    return len(sample.output) < 200


@spanwise.observe(evals=["not_empty", spanwise.evaluator("length", unit="words", most=200), brief])
def scored(x: int) -> str:
    """A function with evaluators."""
    return str(x)


class Bot:
    """Methods."""

    @spanwise.observe
    def method(self, x: int) -> str:
        """A method."""
        return str(x)

    @classmethod
    @spanwise.observe
    def made(cls) -> "Bot":
        """A class method."""
        return cls()

    @spanwise.observe
    @staticmethod
    def fixed(x: int) -> int:
        """A static method."""
        return x


def check() -> None:
    """The types are those of the functions themselves."""
    assert_type(plain(1, y="a"), float)
    same: Callable[[int], Coroutine[Any, Any, str]] = later
    assert_type(same, Callable[[int], Coroutine[Any, Any, str]])
    assert_type(numbers(), Generator[int, str, bool])
    assert_type(stream(), AsyncGenerator[int, None])
    assert_type(Bot().method(1), str)
    assert_type(Bot.made(), Bot)
    assert_type(Bot.fixed(1), int)
    assert_type(scored(1), str)
    assert_type(spanwise.evaluator(brief, version="2"), Evaluator)
    spanwise.observe(evals=[3])  # type: ignore[list-item]
    accepts: Callable[[int], str] = Bot().method
    accepts(1)
    plain("wrong")  # type: ignore[arg-type]
    plain(1, z=1)  # type: ignore[call-arg]
    Bot().method("wrong")  # type: ignore[arg-type]
    spanwise.span("x", kind="wrong")  # type: ignore[arg-type]
    spanwise.init(kafka=3)  # type: ignore[arg-type]
    with spanwise.span("x") as span:
        assert_type(span, spanwise.Span)
        assert_type(span.record_response([1]), list[int])
    assert_type(spanwise.score("q", 1.0), str)
    assert_type(spanwise.stats().dropped_total, int)
