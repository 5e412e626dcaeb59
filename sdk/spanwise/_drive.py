"""Runs a decorated function of any of the four kinds with something around it.

All introspection happens here, when the decorator runs. What happens around a call is a `Call`: it is entered for
each stretch in which the function's own code runs, so a suspended generator never leaves its context behind in its
caller.
"""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])
Begin = Callable[[tuple[Any, ...], dict[str, Any]], "Call | None"]


class Call:
    """One call of a decorated function. The methods do nothing here and never raise in any subclass."""

    __slots__ = ()

    def resume(self) -> None:
        """The function's code is about to run."""

    def suspend(self, *, keep: bool = False) -> None:
        """It has stopped running: for good, or (`keep`) until the next `resume`."""

    def item(self, value: Any) -> None:
        """A generator has yielded this."""

    def succeed(self, result: Any) -> None:
        """The function has returned this."""

    def exhausted(self, *, early: bool) -> None:
        """A generator has ended; `early` when its user closed it before its end."""

    def fail(self, error: BaseException) -> None:
        """The function has raised this."""


def drive(function: F, begin: Begin) -> F:
    """Wrap a function so that each call of it happens inside a `Call`.

    Args:
        function: plain, coroutine, generator or async generator function.
        begin: makes the `Call` from the arguments, or None to leave this call alone; never raises.
    """
    if inspect.isasyncgenfunction(function):
        wrapper = _async_generator(function, begin)
    elif inspect.iscoroutinefunction(function):
        wrapper = _coroutine(function, begin)
    elif inspect.isgeneratorfunction(function):
        wrapper = _generator(function, begin)
    else:
        wrapper = _plain(function, begin)
    return cast(F, wrapper)


def _plain(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = begin(args, kwargs)
        if call is None:
            return function(*args, **kwargs)
        call.resume()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            call.suspend()
            call.fail(error)
            raise
        call.suspend()
        call.succeed(result)
        return result

    return wrapper


def _coroutine(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = begin(args, kwargs)
        if call is None:
            return await function(*args, **kwargs)
        call.resume()
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            call.suspend()
            call.fail(error)
            raise
        call.suspend()
        call.succeed(result)
        return result

    return wrapper


def _generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        call = begin(args, kwargs)
        if call is None:
            return (yield from function(*args, **kwargs))
        inner: Generator[Any, Any, Any] = function(*args, **kwargs)
        step: Callable[[], Any] = functools.partial(next, inner)
        while True:
            call.resume()
            try:
                value = step()
            except StopIteration as stop:
                call.suspend()
                call.exhausted(early=False)
                return stop.value
            except BaseException as error:
                call.suspend()
                call.fail(error)
                raise
            call.suspend(keep=True)
            call.item(value)
            try:
                sent = yield value
            except GeneratorExit:
                _close(inner, call)
                raise
            except BaseException as thrown:
                step = functools.partial(inner.throw, thrown)
            else:
                step = functools.partial(inner.send, sent)

    return wrapper


def _close(inner: Generator[Any, Any, Any], call: Call) -> None:
    call.resume()
    try:
        inner.close()
    except BaseException as error:
        call.suspend()
        call.fail(error)
        raise
    call.suspend()
    call.exhausted(early=True)


def _async_generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        inner: AsyncGenerator[Any, Any] = function(*args, **kwargs)
        call = begin(args, kwargs) or _NOTHING
        step: Callable[[], Any] = functools.partial(inner.asend, None)
        while True:
            call.resume()
            try:
                value = await step()
            except StopAsyncIteration:
                call.suspend()
                call.exhausted(early=False)
                return
            except BaseException as error:
                call.suspend()
                call.fail(error)
                raise
            call.suspend(keep=True)
            call.item(value)
            try:
                sent = yield value
            except GeneratorExit:
                await _aclose(inner, call)
                raise
            except BaseException as thrown:
                step = functools.partial(inner.athrow, thrown)
            else:
                step = functools.partial(inner.asend, sent)

    return wrapper


async def _aclose(inner: AsyncGenerator[Any, Any], call: Call) -> None:
    call.resume()
    try:
        await inner.aclose()
    except BaseException as error:
        call.suspend()
        call.fail(error)
        raise
    call.suspend()
    call.exhausted(early=True)


_NOTHING = Call()
