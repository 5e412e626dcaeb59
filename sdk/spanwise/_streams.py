"""Wraps a model's stream: hands out the same chunks and listens."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import Any, Final, Protocol, TypeVar, cast

from spanwise._guard import guard
from spanwise._messages import field
from spanwise._reading import Reading
from spanwise._responses import StreamReader, read

R = TypeVar("R")

# Helpers of the clients' streams that read to the end by themselves, past the wrapper.
_READ_TO_END: Final = frozenset(
    {"get_final_message", "get_final_text", "get_final_completion", "get_final_response", "until_done"}
)
# Where the clients' streams keep what they have put together so far.
_SNAPSHOTS: Final = ("current_message_snapshot", "current_completion_snapshot")


class Listener(Protocol):
    """Who wants to know."""

    def first_chunk(self) -> None:
        """The first chunk has come."""

    def ended(self, reading: Reading | None, error: BaseException | None) -> None:
        """The stream has ended, was closed, or has failed; called once."""


def wrap_stream(stream: R, listener: Listener) -> R:
    """A stand-in for the stream that behaves as it does and tells the listener."""
    is_async = hasattr(stream, "__anext__") or hasattr(stream, "__aenter__")
    wrapper = _AsyncStream(stream, listener) if is_async else _SyncStream(stream, listener)
    return cast(R, wrapper)


class _Stream:
    def __init__(self, stream: Any, listener: Listener) -> None:
        self._stream = stream
        self._listener: Listener | None = listener
        self._reader = StreamReader()
        self._begun = False

    def _chunk(self, chunk: Any) -> None:
        try:
            if not self._begun and self._listener is not None:
                self._begun = True
                self._listener.first_chunk()
            self._reader.add(chunk)
        except Exception as error:  # a chunk of an unexpected shape
            guard.report("read a stream's chunk", error)

    def _finish(self, error: BaseException | None = None) -> None:
        listener, self._listener = self._listener, None
        if listener is None:
            return
        try:
            listener.ended(self._reading(), None if isinstance(error, GeneratorExit) else error)
        except Exception as failure:
            guard.report("record a stream", failure)

    def _reading(self) -> Reading | None:
        reading = self._reader.reading()
        if reading is not None and reading.finish_reasons:
            return reading
        for name in _SNAPSHOTS:
            try:
                snapshot = getattr(self._stream, name, None)
            except AssertionError:  # the client asserts that something has arrived
                continue
            found = None if snapshot is None else read(snapshot)
            if found is not None:
                return found
        return reading

    def __del__(self) -> None:
        # An abandoned stream: what arrived is recorded, and its span ends.
        self._finish()


class _SyncStream(_Stream):
    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            chunk = next(self._stream)
        except StopIteration:
            self._finish()
            raise
        except BaseException as error:
            self._finish(error)
            raise
        self._chunk(chunk)
        return chunk

    def __enter__(self) -> "_SyncStream":
        self._stream_manager = self._stream
        self._stream = self._stream.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        try:
            return self._stream_manager.__exit__(kind, error, trace)
        finally:
            self._finish(error)

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self._finish()

    @property
    def text_stream(self) -> Iterator[str]:
        """Anthropic's stream of the text alone."""
        return (field(field(event, "delta"), "text") for event in self if _is_text(event))

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__dict__["_stream"], name)
        return self._to_end(value) if name in _READ_TO_END else value

    def _to_end(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                result = method(*args, **kwargs)
            except BaseException as error:
                self._finish(error)
                raise
            self._finish()
            return result

        return call


class _AsyncStream(_Stream):
    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        try:
            chunk = await self._stream.__anext__()
        except StopAsyncIteration:
            self._finish()
            raise
        except BaseException as error:
            self._finish(error)
            raise
        self._chunk(chunk)
        return chunk

    async def __aenter__(self) -> "_AsyncStream":
        self._stream_manager = self._stream
        self._stream = await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        try:
            return await self._stream_manager.__aexit__(kind, error, trace)
        finally:
            self._finish(error)

    async def close(self) -> None:
        try:
            await self._stream.close()
        finally:
            self._finish()

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._finish()

    @property
    def text_stream(self) -> AsyncIterator[str]:
        """Anthropic's stream of the text alone."""
        return (field(field(event, "delta"), "text") async for event in self if _is_text(event))

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__dict__["_stream"], name)
        return self._to_end(value) if name in _READ_TO_END else value

    def _to_end(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            try:
                result = await method(*args, **kwargs)
            except BaseException as error:
                self._finish(error)
                raise
            self._finish()
            return result

        return call


def _is_text(event: Any) -> bool:
    kinds = (field(event, "type"), field(field(event, "delta"), "type"))
    return kinds == ("content_block_delta", "text_delta")
