"""Plain functions beside an event loop, each in a thread of its own: one that hangs holds nobody up."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

from spanwise._guard import describe


class TooManyStuckError(RuntimeError):
    """So many calls did not come back in time that threads would run out."""


class Threads:
    """Calls functions in threads; one whose caller has given up is left behind, and counted while it runs.

    Args:
        most: with so many left behind nothing more is started.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._stuck = 0

    async def call(self, function: Callable[[Any], Any], argument: Any) -> Any:
        """What the function returns or raises. It sees the context variables of the caller.

        Raises:
            TooManyStuckError: too many earlier calls still run that nobody waits for.
        """
        if self._stuck >= self._most:
            raise TooManyStuckError(f"{self._stuck} calls have not come back in time and still run; nothing is started")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()

        def work() -> None:
            value, error = _outcome(context, function, argument)
            try:
                loop.call_soon_threadsafe(self._settle, future, value, error)
            except RuntimeError:
                return  # the loop is closed; nobody waits for this any more

        threading.Thread(target=work, name="spanwise-experiment-call", daemon=True).start()
        try:
            return await future
        except asyncio.CancelledError:
            self._stuck += future.cancelled()
            raise

    def _settle(self, future: "asyncio.Future[Any]", value: Any, error: Exception | None) -> None:
        if future.cancelled():
            self._stuck -= 1
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)


def _outcome(
    context: contextvars.Context, function: Callable[[Any], Any], argument: Any
) -> tuple[Any, Exception | None]:
    try:
        return context.run(function, argument), None
    except StopIteration as error:
        # A future refuses it, since it would end whoever awaits.
        return None, RuntimeError(f"StopIteration: {describe(error)}")
    except Exception as error:
        return None, error
    except BaseException as error:  # `sys.exit()` and `pytest.fail()` end the call, not the experiment
        return None, RuntimeError(f"{type(error).__name__}: {describe(error)}")
