"""A span as users hold it: what it was given, what it gave, what it used."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Status, StatusCode

from spanwise import _content
from spanwise._capture import clip, to_json
from spanwise._context import Attachment
from spanwise._evals import Evals, Job, Watch, resolved
from spanwise._guard import describe, guard
from spanwise._reading import Reading, Usage
from spanwise._runtime import Runtime, state
from spanwise._scores import ScoreSource, send_score
from spanwise_schemas import attributes as names
from spanwise_schemas.attributes import Kind

if TYPE_CHECKING:
    from spanwise_evaluators.model import Evaluator

R = TypeVar("R")

_HANDLE: Final = otel_context.create_key("spanwise-span")


class Span:
    """A span that is being recorded.

    No method raises because of what it is given; after the span has ended, or when Spanwise is not set up, they do
    nothing.
    """

    __slots__ = (
        "_answered",
        "_ended",
        "_kind",
        "_open_streams",
        "_runtime",
        "_scored",
        "_span",
        "_truncated",
        "_watch",
    )

    def __init__(self, span: trace.Span, kind: str, runtime: Runtime | None) -> None:
        self._span = span
        self._kind = kind
        self._runtime = runtime
        self._truncated: tuple[str, ...] = ()
        self._open_streams = 0
        self._ended = False
        # For evaluators: whether the output is known even where nothing was recorded, whether this span has some
        # itself, and the nearest one that has.
        self._answered = False
        self._scored = False
        self._watch: Watch | None = None

    @property
    def trace_id(self) -> str:
        """32 hex digits; zeros when nothing is recorded."""
        return f"{self._span.get_span_context().trace_id:032x}"

    @property
    def span_id(self) -> str:
        """16 hex digits; zeros when nothing is recorded."""
        return f"{self._span.get_span_context().span_id:016x}"

    def set_input(self, value: object) -> None:
        """Record what the span was given: any value; for kind "llm", a list of messages.

        Args:
            value: text, or anything that can be shown as JSON.
        """
        self._content(_content.of_input, value)

    def set_output(self, value: object) -> None:
        """Record what the span gave: any value; for kind "llm", a message or a list of messages.

        Args:
            value: text, or anything that can be shown as JSON.
        """
        self._content(_content.of_output, value)

    def set_model(self, model: str, *, provider: str | None = None) -> None:
        """Record which model was asked.

        Args:
            model: `gen_ai.request.model`.
            provider: `gen_ai.provider.name`, "openai" for example.
        """
        found = {names.REQUEST_MODEL: model}
        if provider is not None:
            found[names.PROVIDER] = provider
        self.set_attributes(found)

    def set_usage(
        self,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        reasoning_tokens: int | None = None,
        cost_usd: float | None = None,
    ) -> None:
        """Record what the call used.

        Args:
            input_tokens: all input tokens, cached ones included.
            output_tokens: all output tokens, reasoning included.
            cache_read_tokens: part of the input that came from a cache.
            cache_write_tokens: part of the input that was written to a cache.
            reasoning_tokens: part of the output spent on reasoning.
            cost_usd: what the call cost, when you know better than the price list.
        """
        usage = Usage(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cache_read_tokens=cache_read_tokens,
            cache_write_tokens=cache_write_tokens,
            reasoning_tokens=reasoning_tokens,
        )
        found: dict[str, object] = dict(usage.attributes())
        if cost_usd is not None:
            found[names.COST] = cost_usd
        self.set_attributes(found)

    def set_attribute(self, name: str, value: object) -> None:
        """Record any attribute.

        Args:
            name: its name.
            value: text, bool, number, or a list of one of these; anything else is written as JSON.
        """
        self.set_attributes({name: value})

    def set_attributes(self, attributes: Mapping[str, object]) -> None:
        """Record several attributes; see `set_attribute`."""
        if not self._recording():
            return
        try:
            limit = self._limit()
            self._span.set_attributes({str(name): _attribute(value, limit) for name, value in attributes.items()})
        except Exception as error:  # a str subclass that misbehaves
            guard.report("set an attribute", error)

    def record_error(self, error: BaseException) -> None:
        """Mark the span as failed with this exception, for errors that you handle yourself."""
        if not self._recording():
            return
        try:
            self._span.set_attribute(names.ERROR_TYPE, _error_type(error))
            self._span.set_status(Status(StatusCode.ERROR, clip(describe(error), self._limit())[0]))
            self._span.record_exception(error)
        except Exception as failure:  # a broken __str__ of the user's exception
            guard.report("record an exception", failure)

    def record_response(self, response: R) -> R:
        """Record model, usage, finish reason and messages of a model's answer.

        Knows OpenAI's chat completions, responses and embeddings, Anthropic's messages, and their streams, sync and
        async; also from compatible providers. A stream comes back wrapped: it hands out the same chunks, and the span
        ends when the stream has ended or was closed, even when the `with` block is left before.

        Args:
            response: the client's answer or stream.

        Returns:
            The answer itself, or the stream to use in its place.
        """
        if not self._recording():
            return response
        try:
            # Imported here: programs that record no answers need none of it.
            from spanwise._responses import is_stream, read
            from spanwise._streams import wrap_stream

            reading = read(response)
            if reading is not None:
                self._record(reading)
            elif is_stream(response):
                self._open_streams += 1
                return wrap_stream(response, _StreamListener(self))
            else:
                self.set_output(response)
        except Exception as error:
            guard.report("read a model's answer", error)
        return response

    def score(
        self,
        name: str,
        value: float | bool | str,
        *,
        explanation: str | None = None,
        source: ScoreSource = "code",
        score_id: str | None = None,
    ) -> str:
        """Score this span; see `spanwise.score`."""
        return send_score(
            name,
            value,
            trace_id=self.trace_id,
            span_id=self.span_id,
            explanation=explanation,
            source=source,
            score_id=score_id,
        )

    def _recording(self) -> bool:
        return self._runtime is not None and self._span.is_recording()

    def _limit(self) -> int:
        return 0 if self._runtime is None else self._runtime.max_content_bytes

    def _content(self, writer: Callable[[str, Any, int], dict[str, Any]], value: object) -> None:
        if self._runtime is None or not self._runtime.capture_content or not self._span.is_recording():
            return
        try:
            self._write(writer(self._kind, value, self._runtime.max_content_bytes))
        except Exception as error:
            guard.report("capture content", error)

    def _write(self, found: dict[str, Any]) -> None:
        if names.TRUNCATED in found:
            self._truncated = found[names.TRUNCATED] = (*self._truncated, *found[names.TRUNCATED])
        self._span.set_attributes(found)

    def _record(self, reading: Reading) -> None:
        found: dict[str, Any] = dict(reading.attributes())
        if self._kind == "other":
            found[names.OPERATION] = reading.operation
        if self._runtime is not None and self._runtime.capture_content and reading.messages:
            found |= _content.of_messages(
                names.OUTPUT_MESSAGES, reading.messages, self._runtime.max_content_bytes, "output"
            )
        self._write(found)

    def _end(self) -> None:
        """End the span, or leave that to the streams that are still open."""
        self._ended = True
        if self._open_streams <= 0:
            clock = None if self._runtime is None else self._runtime.clock
            watch = self._watch if self._span.is_recording() else None
            self._span.end(end_time=None if clock is None else clock())
            if watch is not None:
                self._evaluate(watch)

    def _evaluate(self, watch: Watch) -> None:
        """Hand the ended span to its evaluators, and what it retrieved to those above."""
        span: Any = self._span
        if self._kind == "retriever":
            above = watch.above if self._scored else watch
            if above is not None:
                above.saw(span)
        # A process that was forked meanwhile has another one than the span began with.
        runtime = state.runtime or self._runtime
        if not self._scored or runtime is None:
            return
        is_known = self._answered or not _content.OUTPUTS.isdisjoint(span.attributes or ())
        is_complete = is_known and "output" not in self._truncated and span.status.status_code is not StatusCode.ERROR
        runtime.evaluation.submit(Job(span, watch.evaluators, watch.retrieved, is_complete))


class _StreamListener:
    """Tells a span what its stream has brought."""

    __slots__ = ("_span",)

    def __init__(self, span: Span) -> None:
        self._span = span

    def first_chunk(self) -> None:
        span, runtime = self._span, self._span._runtime
        start_ns = getattr(span._span, "start_time", None)
        if runtime is not None and start_ns:
            seconds = max(0, runtime.now_ns() - start_ns) / 1e9
            span._span.set_attributes({names.TTFT: seconds, names.STREAM: True})

    def ended(self, reading: Reading | None, error: BaseException | None) -> None:
        span = self._span
        if reading is not None:
            span._record(reading)
        if error is not None:
            span.record_error(error)
        span._open_streams -= 1
        if span._ended and span._open_streams == 0:
            span._end()


def start(
    runtime: Runtime, name: str, kind: str, attributes: Mapping[str, Any], evaluators: "tuple[Evaluator, ...]" = ()
) -> tuple[Span, Context]:
    """Start a span as a child of what is current.

    Returns:
        The span, and the context in which it is current.
    """
    clock = runtime.clock
    current = otel_context.get_current()
    raw = runtime.tracer.start_span(name, current, attributes=attributes, start_time=None if clock is None else clock())
    handle = Span(raw, kind, runtime)
    parent = current.get(_HANDLE)
    watch = parent._watch if isinstance(parent, Span) else None
    if evaluators:
        watch, handle._scored = Watch(evaluators, watch), True
    handle._watch = watch
    return handle, otel_context.set_value(_HANDLE, handle, trace.set_span_in_context(raw, current))


def current_span() -> Span:
    """The span that is current here, also one of another instrumentation.

    Returns:
        The span; when there is none, one that ignores everything.
    """
    raw = trace.get_current_span()
    handle = otel_context.get_value(_HANDLE)
    if isinstance(handle, Span) and handle._span is raw:
        return handle
    return Span(raw, "other", state.runtime if raw.is_recording() else None)


class SpanBlock:
    """What `spanwise.span` returns; made for one `with` statement."""

    __slots__ = ("_attachment", "_attributes", "_evaluators", "_kind", "_name", "_span")

    def __init__(
        self, name: str, kind: str, attributes: dict[str, Any], evaluators: "tuple[Evaluator, ...]" = ()
    ) -> None:
        self._name = name
        self._evaluators = evaluators
        self._kind = kind
        self._attributes = attributes
        self._span: Span | None = None
        self._attachment: Attachment | None = None

    def __enter__(self) -> Span:
        runtime = state.runtime
        if runtime is None:
            return Span(trace.INVALID_SPAN, self._kind, None)
        try:
            span, context = start(
                runtime, self._name, self._kind, _content.of_kind(self._kind, self._name), self._evaluators
            )
        except Exception as error:
            guard.report("start a span", error)
            return Span(trace.INVALID_SPAN, self._kind, None)
        if self._attributes:
            span.set_attributes(self._attributes)
        self._span, self._attachment = span, Attachment(context)
        self._attachment.resume()
        return span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_: TracebackType | None
    ) -> None:
        span, attachment = self._span, self._attachment
        if span is None or attachment is None:
            return
        attachment.suspend()
        try:
            if error is not None and not isinstance(error, GeneratorExit):
                span.record_error(error)
            span._end()
        except Exception as failure:
            guard.report("end a span", failure)


def span(
    name: str,
    *,
    kind: Kind = "other",
    model: str | None = None,
    provider: str | None = None,
    attributes: Mapping[str, object] | None = None,
    evals: Evals = (),
) -> SpanBlock:
    """A span around a block: `with spanwise.span("rank") as span: ...`.

    Args:
        name: what the block does; the same for every call.
        kind: what kind of work it is.
        model: the model that is asked (`gen_ai.request.model`).
        provider: who runs it (`gen_ai.provider.name`).
        attributes: more attributes.
        evals: evaluators that score the span after it has ended, in the background; see docs/sdk.md.
    """
    more: dict[str, Any] = dict(attributes or {})
    if model is not None:
        more[names.REQUEST_MODEL] = model
    if provider is not None:
        more[names.PROVIDER] = provider
    if kind not in names.KINDS:
        guard.report("use a span kind", ValueError(f"{kind!r} is none of {', '.join(names.KINDS)}"))
        kind = "other"
    evaluators: tuple[Evaluator, ...] = ()
    if evals:
        try:
            evaluators = resolved(evals)
        except Exception as error:
            guard.report(f"make the evaluators of the span {name!r}", error)
    return SpanBlock(str(name), kind, more, evaluators)


def _attribute(value: Any, limit: int) -> Any:
    """A value that OpenTelemetry takes as an attribute."""
    if isinstance(value, str):
        return clip(value, limit)[0]
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple) and len({type(item) for item in value}) <= 1:
        if all(isinstance(item, bool | int | float) for item in value):
            return tuple(value)
        if all(isinstance(item, str) for item in value):
            return tuple(clip(item, limit)[0] for item in value)
    return clip(to_json(value), limit)[0]


def _error_type(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__ if kind.__module__ in {"builtins", "__main__"} else f"{kind.__module__}.{kind.__qualname__}"
    )
