"""`spanwise.observe` on generators and async generators: ended, closed, abandoned, resumed elsewhere."""

import asyncio
import contextvars
import gc
from collections.abc import AsyncGenerator, Generator

import pytest

import spanwise
from spanwise.testing import Capture, capture


def test_a_generator_is_one_span_until_its_end(spanwise_capture: Capture) -> None:
    """Texts are joined; between two items the consumer is outside; send, throw and the return value pass through."""

    @spanwise.observe
    def tokens() -> Generator[str, str, int]:
        got = yield "Hel"
        assert got == "go"
        with pytest.raises(KeyError):
            yield "lo"
        return 7

    def consume() -> Generator[str, str, None]:
        result = yield from tokens()
        assert result == 7

    stream = consume()
    assert next(stream) == "Hel"
    assert spanwise.current_span().span_id == "0" * 16
    assert stream.send("go") == "lo"
    with pytest.raises(StopIteration):
        stream.throw(KeyError("x"))

    assert [(span["name"], span["attributes"]["output.value"], span["status"]) for span in spanwise_capture.spans] == [
        ("tokens", "Hello", "unset")
    ]


def test_a_generator_keeps_the_spans_it_holds_open_across_yields(spanwise_capture: Capture) -> None:
    """What a generator's body makes current stays current for the body, and only for it."""

    @spanwise.observe
    def stages() -> Generator[int, None, None]:
        with spanwise.span("stage"):
            yield 1
            with spanwise.span("inside"):
                yield 2

    for _ in stages():
        with spanwise.span("consumer"):
            pass

    parents = {span["name"]: span["parent_id"] for span in spanwise_capture.spans}
    ids = {span["name"]: span["span_id"] for span in spanwise_capture.spans}
    assert parents["inside"] == ids["stage"]
    assert parents["stage"] == ids["stages"]
    assert parents["consumer"] is None


def test_a_generator_closed_early_records_what_it_yielded(spanwise_capture: Capture) -> None:
    """Closing is no error."""

    @spanwise.observe
    def numbers() -> Generator[int, None, None]:
        yield from range(10)

    stream = numbers()
    next(stream)
    next(stream)
    stream.close()

    assert [(span["attributes"]["output.value"], span["status"]) for span in spanwise_capture.spans] == [
        ("[0, 1]", "unset")
    ]


def test_an_abandoned_generator_ends_its_span_when_it_is_collected(spanwise_capture: Capture) -> None:
    """A generator that nobody closes is recorded when Python collects it."""

    @spanwise.observe
    def numbers() -> Generator[int, None, None]:
        yield from range(10)

    next(numbers())
    gc.collect()

    assert [span["name"] for span in spanwise_capture.spans] == ["numbers"]


def test_an_endless_generator_is_recorded_within_bounds() -> None:
    """Of what a generator yields only as much is kept as fits."""

    @spanwise.observe
    def endless() -> Generator[int, None, None]:
        n = 0
        while True:
            yield n
            n += 1

    with capture(max_content_bytes=64) as captured:
        stream = endless()
        for _ in range(100_000):
            next(stream)
        stream.close()

    assert len(captured.spans[0]["attributes"]["output.value"]) < 200


def test_an_async_generator_works_when_closed_from_another_task(
    spanwise_capture: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    """The span ends, nothing is logged, and the other task's context is untouched."""

    @spanwise.observe
    async def ticks() -> AsyncGenerator[str, None]:
        try:
            yield "a"
            yield "b"
        finally:
            with spanwise.span("cleanup"):
                await asyncio.sleep(0)

    async def close(stream: AsyncGenerator[str, None]) -> str:
        await stream.aclose()
        return spanwise.current_span().span_id

    async def main() -> str:
        stream = ticks()
        assert await anext(stream) == "a"
        return await asyncio.create_task(close(stream), context=contextvars.Context())

    assert asyncio.run(main()) == "0" * 16
    cleanup, root = spanwise_capture.spans
    assert (cleanup["parent_id"], root["name"], root["attributes"]["output.value"]) == (root["span_id"], "ticks", "a")
    assert caplog.records == []


def test_an_async_generator_passes_send_throw_and_errors_through(spanwise_capture: Capture) -> None:
    """It behaves as without the decorator."""

    @spanwise.observe
    async def echo() -> AsyncGenerator[str, str]:
        got = yield "ready"
        try:
            yield got
        except KeyError:
            yield "caught"
        raise RuntimeError("done")

    async def main() -> list[str]:
        stream = echo()
        seen = [await anext(stream), await stream.asend("sent"), await stream.athrow(KeyError("x"))]
        with pytest.raises(RuntimeError, match="done"):
            await anext(stream)
        return seen

    assert asyncio.run(main()) == ["ready", "sent", "caught"]
    span = spanwise_capture.spans[0]
    assert (span["status"], span["attributes"]["output.value"]) == ("error", "readysentcaught")
