"""The decorator `spanwise.observe`."""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from opentelemetry.context import Context

from spanwise import _content
from spanwise._capture import plain, to_json
from spanwise._context import Attachment
from spanwise._drive import Call, drive
from spanwise._evals import Evals, resolved
from spanwise._guard import guard
from spanwise._runtime import Runtime, state
from spanwise._span import Span, start
from spanwise_schemas import attributes as names
from spanwise_schemas.attributes import Kind

if TYPE_CHECKING:
    from spanwise_evaluators.model import Evaluator

F = TypeVar("F", bound="Callable[..., Any] | classmethod[Any, ..., Any] | staticmethod[..., Any]")


@overload
def observe(function: F, /) -> F: ...


@overload
def observe(
    *,
    name: str | None = None,
    kind: Kind = "other",
    capture_input: bool = True,
    capture_output: bool = True,
    attributes: Mapping[str, object] | None = None,
    evals: Evals = (),
) -> Callable[[F], F]: ...


def observe(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    kind: Kind = "other",
    capture_input: bool = True,
    capture_output: bool = True,
    attributes: Mapping[str, object] | None = None,
    evals: Evals = (),
) -> Any:
    """Record each call of a function as a span, with its arguments and its result.

    Works bare (`@spanwise.observe`) and with arguments, on functions, coroutines, generators, async generators,
    methods, class methods and static methods (in either order of the decorators). What the function returns, yields
    or raises is passed on unchanged.

    Args:
        function: the function, when used bare.
        name: the span's name; by default the function's, with its class.
        kind: what kind of work it does.
        capture_input: record the arguments.
        capture_output: record the result; of a generator, what it yielded.
        attributes: more attributes for every call.
        evals: evaluators that score every call after it has ended, in the background: names of the registry, what
            `spanwise.evaluator` makes, and functions that take a `Sample`; see docs/sdk.md.

    Raises:
        TypeError: when decorating something that is no function.
        ValueError: when decorating with an unknown kind, or an evaluator that cannot work.
    """
    if kind not in names.KINDS:
        raise ValueError(f"observe: kind {kind!r} is unknown; use one of {', '.join(names.KINDS)}")

    evaluators = resolved(evals) if evals else ()

    def decorate(target: Any) -> Any:
        if isinstance(target, classmethod):
            return classmethod(decorate_function(target.__func__, skip_first=True))
        if isinstance(target, staticmethod):
            return staticmethod(decorate_function(target.__func__, skip_first=False))
        return decorate_function(target, skip_first=None)

    def decorate_function(target: Any, *, skip_first: bool | None) -> Any:
        if not callable(target) or isinstance(target, type):
            raise TypeError(
                f"observe: a function is needed, got {type(target).__name__}; of a class, decorate the methods"
            )
        spec = _Spec(target, name, kind, capture_input, capture_output, attributes or {}, evaluators, skip_first)
        return drive(cast(Callable[..., Any], target), spec.begin)

    return decorate if function is None else decorate(function)


class _Spec:
    """Everything about a decorated function that can be known before it is called."""

    __slots__ = (
        "capture_input",
        "capture_output",
        "evaluators",
        "kind",
        "name",
        "names",
        "skip",
        "static",
        "var_positional",
    )

    def __init__(
        self,
        function: Any,
        name: str | None,
        kind: str,
        capture_input: bool,
        capture_output: bool,
        attributes: Mapping[str, object],
        evaluators: "tuple[Evaluator, ...]",
        skip_first: bool | None,
    ) -> None:
        self.name = name or _name_of(function)
        self.kind = kind
        self.capture_input = capture_input
        self.capture_output = capture_output
        self.evaluators = evaluators
        self.static: dict[str, Any] = {
            **_content.of_kind(kind, self.name),
            **{key: _plain_attribute(value) for key, value in attributes.items()},
        }
        positional, self.var_positional = _positional_names(function)
        if skip_first is None:
            # A method is a plain function while its class is being made; by convention its first parameter says so.
            skip_first = bool(positional) and positional[0] in {"self", "cls", "mcs"}
        self.skip = 1 if skip_first and positional else 0
        self.names = positional[self.skip :]

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "_ObservedCall | None":
        """Start the span of one call; None when nothing is to be recorded."""
        runtime = state.runtime
        if runtime is None:
            return None
        try:
            if self.capture_input and runtime.capture_content and runtime.samples_all:
                content = _content.of_input(self.kind, self.arguments(args, kwargs), runtime.max_content_bytes)
                span, context = start(runtime, self.name, self.kind, {**self.static, **content}, self.evaluators)
                if names.TRUNCATED in content:
                    span._truncated = content[names.TRUNCATED]
            else:
                span, context = start(runtime, self.name, self.kind, self.static, self.evaluators)
                if self.capture_input and runtime.capture_content and span._recording():
                    span.set_input(self.arguments(args, kwargs))
            return _ObservedCall(self, runtime, span, context)
        except Exception as error:
            guard.report(f"start the span of {self.name}", error)
            return None

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of one call by name, without `self` or `cls`."""
        given = args[self.skip :] if self.skip else args
        found = dict(zip(self.names, given, strict=False))
        if self.var_positional is not None and len(given) > len(self.names):
            found[self.var_positional] = given[len(self.names) :]
        if kwargs:
            found.update(kwargs)
        return found


class _ObservedCall(Call):
    __slots__ = ("_attachment", "_items", "_runtime", "_span", "_spec")

    def __init__(self, spec: _Spec, runtime: Runtime, span: Span, context: Context) -> None:
        self._spec = spec
        self._runtime = runtime
        self._span = span
        self._attachment = Attachment(context)
        self._items: _Items | None = None

    def resume(self) -> None:
        self._attachment.resume()

    def suspend(self, *, keep: bool = False) -> None:
        self._attachment.suspend(keep=keep)

    def item(self, value: Any) -> None:
        if not (self._spec.capture_output and self._runtime.capture_content):
            return
        try:
            if self._items is None:
                self._items = _Items(self._runtime.max_content_bytes)
            self._items.add(value)
        except Exception as error:
            guard.report(f"capture what {self._spec.name} yields", error)

    def succeed(self, result: Any) -> None:
        self._span._answered = self._spec.capture_output and self._runtime.capture_content
        try:
            if (
                self._spec.capture_output
                and self._runtime.capture_content
                and result is not None
                and self._span._span.is_recording()
            ):
                self._span._write(_content.of_output(self._spec.kind, result, self._runtime.max_content_bytes))
        except Exception as error:
            guard.report(f"capture the result of {self._spec.name}", error)
        self._end()

    def exhausted(self, *, early: bool) -> None:
        self._span._answered = self._spec.capture_output and self._runtime.capture_content
        if self._items is not None:
            self._span.set_output(self._items.value())
        self._end()

    def fail(self, error: BaseException) -> None:
        if self._items is not None:
            self._span.set_output(self._items.value())
        self._span.record_error(error)
        self._end()

    def _end(self) -> None:
        try:
            self._span._end()
        except Exception as error:
            guard.report(f"end the span of {self._spec.name}", error)


class _Items:
    """What a generator has yielded, as far as it fits: texts are joined, other values become a list."""

    __slots__ = ("_all_text", "_left", "_values")

    def __init__(self, limit: int) -> None:
        self._values: list[tuple[bool, str]] = []  # whether it was a text, and its text or JSON
        self._all_text = True
        self._left = limit

    def add(self, value: Any) -> None:
        if self._left < 0:
            return
        if not isinstance(value, str):
            self._all_text = False
        # As JSON now, because the value may be changed later; at least a byte each, so that endless generators stay
        # bounded.
        text = value if isinstance(value, str) else to_json(value)
        self._left -= len(text) + 1
        self._values.append((isinstance(value, str), text))

    def value(self) -> Any:
        if self._all_text:
            return "".join(text for _, text in self._values)
        return [text if was_text else json.loads(text) for was_text, text in self._values]


def _name_of(function: Any) -> str:
    name = (
        getattr(function, "__qualname__", None)
        or getattr(getattr(function, "func", None), "__qualname__", None)
        or type(function).__qualname__
    )
    return str(name).rpartition("<locals>.")[2]


def _positional_names(function: Any) -> tuple[tuple[str, ...], str | None]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some functions written in C have no signature
        return (), "args"
    positional = tuple(p.name for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD})
    variable = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
    return positional, variable


def _plain_attribute(value: object) -> Any:
    if isinstance(value, str | bool | int | float | list | tuple):
        return value
    return to_json(plain(value))
