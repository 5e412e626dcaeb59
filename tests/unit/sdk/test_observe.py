"""`spanwise.observe` on every kind of function."""

import asyncio
import inspect
import threading
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

import spanwise
from spanwise._guard import guard
from spanwise._runtime import state
from spanwise.testing import START_NS, TICK_NS, Capture


def test_a_call_becomes_a_span_with_its_arguments_and_result(spanwise_capture: Capture) -> None:
    """Name, arguments by name and the result are on the span; ids and times are fixed under capture."""

    @spanwise.observe
    def answer(question: str, *, limit: int = 3) -> list[str]:
        return [question] * limit

    assert answer("why?", limit=2) == ["why?", "why?"]

    assert spanwise_capture.spans == [
        {
            "name": "answer",
            "trace_id": "0" * 31 + "1",
            "span_id": "0" * 15 + "1",
            "parent_id": None,
            "start_ns": START_NS,
            "end_ns": START_NS + TICK_NS,
            "status": "unset",
            "status_message": None,
            "attributes": {
                "input.value": '{"question": "why?", "limit": 2}',
                "input.mime_type": "application/json",
                "output.value": '["why?", "why?"]',
                "output.mime_type": "application/json",
            },
            "events": [],
        }
    ]


def test_arguments_of_the_decorator_are_used(spanwise_capture: Capture) -> None:
    """Name, kind and attributes are written; content is left out where it is switched off."""

    @spanwise.observe(
        name="find", kind="retriever", capture_input=False, capture_output=False, attributes={"index": "faq", "top": 3}
    )
    def search(query: str) -> str:
        return query

    search("secret")

    assert spanwise_capture.spans[0]["name"] == "find"
    assert spanwise_capture.spans[0]["attributes"] == {"gen_ai.operation.name": "retrieval", "index": "faq", "top": 3}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("other", {}),
        ("tool", {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "step"}),
        ("agent", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "step"}),
        ("chain", {"gen_ai.operation.name": "invoke_workflow"}),
        ("guardrail", {"openinference.span.kind": "GUARDRAIL"}),
    ],
)
def test_the_kind_is_written_as_the_conventions_have_it(
    kind: Any, expected: dict[str, str], spanwise_capture: Capture
) -> None:
    """GenAI's operation name where there is one, else OpenInference's span kind; nothing for "other"."""

    @spanwise.observe(name="step", kind=kind)
    def step() -> None: ...

    step()

    assert {
        key: value for key, value in spanwise_capture.spans[0]["attributes"].items() if not key.startswith("input")
    } == expected | ({"gen_ai.tool.call.arguments": "{}"} if kind == "tool" else {})


def test_a_model_call_with_messages_is_written_as_a_conversation(spanwise_capture: Capture) -> None:
    """For kind "llm", messages become gen_ai messages with parts, and `model` the requested model."""

    @spanwise.observe(kind="llm")
    def chat(messages: list[dict[str, str]], model: str) -> dict[str, str]:
        return {"role": "assistant", "content": "Hi!"}

    chat([{"role": "user", "content": "Hello"}], model="m-1")

    assert spanwise_capture.spans[0]["attributes"] == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m-1",
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}]',
        "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "Hi!"}]}]',
    }


def test_calls_inside_calls_are_children(spanwise_capture: Capture) -> None:
    """An observed function called by another is its child in the same trace."""

    @spanwise.observe
    def inner() -> None: ...

    @spanwise.observe
    def outer() -> None:
        inner()

    outer()

    child, parent = spanwise_capture.spans
    assert (child["name"], child["parent_id"], child["trace_id"]) == ("inner", parent["span_id"], parent["trace_id"])


def test_an_exception_is_recorded_and_raised_unchanged(spanwise_capture: Capture) -> None:
    """The very same exception reaches the caller; the span has its type, its message and an event."""
    problem = ValueError("no such plan")

    @spanwise.observe
    def fail() -> None:
        raise problem

    with pytest.raises(ValueError, match="no such plan") as raised:
        fail()

    span = spanwise_capture.spans[0]
    assert raised.value is problem
    assert (span["status"], span["status_message"], span["attributes"]["error.type"]) == (
        "error",
        "no such plan",
        "ValueError",
    )
    assert span["events"] == [
        {
            "name": "exception",
            "attributes": {
                "exception.type": "ValueError",
                "exception.message": "no such plan",
                "exception.escaped": "False",
            },
        }
    ]


class Bot:
    """Methods of every kind, decorators in either order."""

    @spanwise.observe
    def method(self, x: int) -> int:
        return x

    @spanwise.observe
    @classmethod
    def outside_class(cls, x: int) -> str:
        return f"{cls.__name__}{x}"

    @classmethod
    @spanwise.observe
    def inside_class(cls, x: int) -> str:
        return f"{cls.__name__}{x}"

    @spanwise.observe
    @staticmethod
    def outside_static(x: int) -> int:
        return x

    @staticmethod
    @spanwise.observe
    def inside_static(x: int) -> int:
        return x


def test_methods_of_every_kind_work_in_either_order(spanwise_capture: Capture) -> None:
    """`self` and `cls` are no arguments; the span is named after class and method."""
    bot = Bot()

    results = [bot.method(1), Bot.outside_class(2), bot.inside_class(3), Bot.outside_static(4), bot.inside_static(5)]

    assert results == [1, "Bot2", "Bot3", 4, 5]
    assert [(span["name"], span["attributes"]["input.value"]) for span in spanwise_capture.spans] == [
        ("Bot.method", '{"x": 1}'),
        ("Bot.outside_class", '{"x": 2}'),
        ("Bot.inside_class", '{"x": 3}'),
        ("Bot.outside_static", '{"x": 4}'),
        ("Bot.inside_static", '{"x": 5}'),
    ]


def test_positional_and_keyword_extras_have_names(spanwise_capture: Capture) -> None:
    """`*args` appear under their parameter's name, `**kwargs` under their own."""

    @spanwise.observe
    def mixed(first: int, *rest: int, **more: int) -> None: ...

    mixed(1, 2, 3, four=4)

    assert spanwise_capture.spans[0]["attributes"]["input.value"] == '{"first": 1, "rest": [2, 3], "four": 4}'


def test_coroutines_are_awaited_inside_their_span(spanwise_capture: Capture) -> None:
    """Concurrent coroutines are children of the one that gathers them, each with its own result."""

    @spanwise.observe
    async def part(n: int) -> int:
        await asyncio.sleep(0)
        return n * 2

    @spanwise.observe
    async def whole() -> list[int]:
        return list(await asyncio.gather(part(1), part(2)))

    assert asyncio.run(whole()) == [2, 4]

    *parts, root = spanwise_capture.spans
    assert [(span["parent_id"], span["attributes"]["output.value"]) for span in parts] == [
        (root["span_id"], "2"),
        (root["span_id"], "4"),
    ]
    assert root["attributes"]["output.value"] == "[2, 4]"


def test_a_cancelled_coroutine_is_an_error(spanwise_capture: Capture) -> None:
    """Cancellation passes through and is recorded."""

    @spanwise.observe
    async def wait() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    span = spanwise_capture.spans[0]
    assert (span["status"], span["attributes"]["error.type"]) == ("error", "asyncio.exceptions.CancelledError")


def test_what_a_decorated_function_is_stays_visible() -> None:
    """Kind, name, docstring and signature of the function are kept."""

    @spanwise.observe
    async def documented(x: int) -> int:
        """Says something."""
        return x

    @spanwise.observe
    async def stream() -> AsyncGenerator[int, None]:
        yield 1

    assert inspect.iscoroutinefunction(documented)
    assert inspect.isasyncgenfunction(stream)
    assert (documented.__name__, documented.__doc__, str(inspect.signature(documented))) == (
        "documented",
        "Says something.",
        "(x: int) -> int",
    )


def test_without_init_nothing_happens() -> None:
    """Decorated functions of every kind work, and record nothing, when Spanwise is not set up."""

    @spanwise.observe
    def plain() -> int:
        return 1

    @spanwise.observe
    def numbers() -> Generator[int, None, str]:
        yield 1
        return "end"

    @spanwise.observe
    async def later() -> int:
        return 2

    @spanwise.observe
    async def stream() -> AsyncGenerator[int, None]:
        yield 3

    async def collect() -> list[int]:
        return [item async for item in stream()]

    assert (plain(), list(numbers()), asyncio.run(later()), asyncio.run(collect())) == (1, [1], 2, [3])
    assert state.runtime is None


def test_an_internal_error_never_reaches_the_application(
    spanwise_capture: Capture, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When recording fails, the call goes on; each kind of failure is logged once, with the promise."""
    monkeypatch.setattr(guard, "reraise", False)

    @spanwise.observe
    def work(x: Any) -> int:
        return 1

    class Explosive:
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError("boom")

    before = guard.errors
    assert [work(Explosive()), work(Explosive())] == [1, 1]
    spanwise.score("x", 1.0, trace_id="not hex")
    spanwise.score("x", 1.0, trace_id="not hex")

    assert guard.errors > before
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "send score 'x'" in line]) == 1
    assert all(line.endswith("Your code is running on, only with less telemetry.") for line in lines)


@pytest.mark.parametrize("target", [int, 3, "text"])
def test_decorating_something_else_is_refused_at_once(target: Any) -> None:
    """A mistake of the programmer shows when the decorator runs, not in production."""
    with pytest.raises(TypeError, match="observe: a function is needed"):
        spanwise.observe(target)


def test_an_unknown_kind_is_refused_at_once() -> None:
    """The message lists the kinds."""
    with pytest.raises(ValueError, match="kind 'magic' is unknown; use one of other, llm"):
        spanwise.observe(kind="magic")  # type: ignore[call-overload]


def test_arguments_changed_later_do_not_change_the_record(spanwise_capture: Capture) -> None:
    """Content is taken at the moment of the call."""

    @spanwise.observe
    def add(items: list[int]) -> list[int]:
        items.append(2)
        return items

    result = add([1])
    result.append(3)

    attributes = spanwise_capture.spans[0]["attributes"]
    assert (attributes["input.value"], attributes["output.value"]) == ('{"items": [1]}', "[1, 2]")


def test_threads_of_one_process_do_not_mix(spanwise_capture: Capture) -> None:
    """Each thread has its own current span."""

    @spanwise.observe
    def work(n: int) -> str:
        barrier.wait(10)
        return spanwise.current_span().span_id

    barrier = threading.Barrier(4)
    seen: list[str] = []
    threads = [threading.Thread(target=lambda n=n: seen.append(work(n))) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(seen) == sorted(span["span_id"] for span in spanwise_capture.spans)
    assert {span["parent_id"] for span in spanwise_capture.spans} == {None}
