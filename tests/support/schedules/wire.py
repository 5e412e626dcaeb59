"""A TCP proxy that can be cut, made slow, hung, or lose answers: the network between one collector and its broker."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from contextlib import suppress
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self

SLOW_S = 0.05
CHUNK = 1 << 16
PATIENCE_S = 10.0


class State(Enum):
    """How a wire is."""

    OPEN = auto()
    CUT = auto()
    """Connections are closed, and new ones are closed at once."""
    HANGING = auto()
    """Connections stay open, and nothing passes until the wire is another way."""
    SLOW = auto()
    """Whatever passes takes `SLOW_S` longer."""
    DEAF = auto()
    """Requests pass; the first answer is lost, and its connection with it."""


class Wire:
    """One port of the proxy. All methods may be called from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: int) -> None:
        self._loop = loop
        self.target = target
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._state = State.OPEN
        self._moved = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._server: asyncio.Server | None = None

    @property
    def bootstrap(self) -> str:
        """Address for clients, `host:port`."""
        return f"127.0.0.1:{self.port}"

    def set(self, state: State, seconds: float | None = None) -> None:
        """Change how it is, for some time or until it is changed again."""
        asyncio.run_coroutine_threadsafe(self._set(state, seconds), self._loop).result(PATIENCE_S)

    async def serve(self) -> None:
        """Begin to accept connections; on the proxy's loop."""
        self._server = await asyncio.start_server(self._accept, sock=self._socket)

    def close(self) -> None:
        """Listen no more; on the proxy's loop."""
        if self._server is not None:
            self._server.close()

    async def _set(self, state: State, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._change(state)
        if seconds is not None:
            self._timer = self._loop.call_later(seconds, self._change, State.OPEN)

    def _change(self, state: State) -> None:
        self._state = state
        self._moved.set()
        self._moved = asyncio.Event()
        if state is State.CUT:
            for writer in list(self._open):
                writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._state is State.CUT:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, back}
        self._open |= both
        try:
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer, answers=True))
        except OSError:
            pass
        finally:
            self._open -= both
            for one in both:
                one.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False) -> None:
        while data := await reader.read(CHUNK):
            if self._state is State.SLOW:
                await asyncio.sleep(SLOW_S)
            while self._state is State.HANGING:
                await self._moved.wait()
            if answers and self._state is State.DEAF:
                self._change(State.OPEN)
                raise ConnectionAbortedError
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError


class Proxy:
    """The proxy's thread; also a context manager."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._wires: list[Wire] = []

    def wire(self, target: int) -> Wire:
        """A new port in front of the port `target` of this machine."""
        made = Wire(self._loop, target)
        self._wires.append(made)
        self._run(made.serve())
        return made

    def _run(self, todo: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(todo, self._loop).result(PATIENCE_S)

    async def _end(self) -> None:
        for wire in self._wires:
            wire.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*others, return_exceptions=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for wire in self._wires:
            wire.set(State.CUT)
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()
