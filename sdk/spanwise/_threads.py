"""Work given to a `ThreadPoolExecutor` belongs to the span that gave it.

`concurrent.futures` does not pass context on, so every trace would fall apart at the first thread pool. `submit` is
wrapped, and only when a span or session is current; `asyncio.to_thread` passes context on by itself and
`loop.run_in_executor` goes through `submit`. Plain `threading.Thread` is left
alone: a thread that outlives the call that started it (a connection's, a scheduler's) would put its spans under that
    call for ever.
"""

import concurrent.futures
import functools
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context


class _Patch:
    original: Any = None


_patch: Final = _Patch()


def install() -> None:
    """Wrap `ThreadPoolExecutor.submit`; once."""
    if _patch.original is not None:
        return
    original: Any = concurrent.futures.ThreadPoolExecutor.submit

    @functools.wraps(original)
    def submit(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        current = otel_context.get_current()
        if not current:
            return original(self, fn, *args, **kwargs)
        return original(self, functools.partial(_run, current, fn), *args, **kwargs)

    _patch.original = original
    concurrent.futures.ThreadPoolExecutor.submit = submit  # type: ignore[method-assign]


def uninstall() -> None:
    """Put the original back, unless someone has wrapped ours since."""
    original = _patch.original
    current: Any = concurrent.futures.ThreadPoolExecutor.submit
    if original is not None and getattr(current, "__wrapped__", None) is original:
        concurrent.futures.ThreadPoolExecutor.submit = original  # type: ignore[method-assign, assignment]
        _patch.original = None


def _run(context: Context, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    token = otel_context.attach(context)
    try:
        return fn(*args, **kwargs)
    finally:
        token.var.reset(token)
