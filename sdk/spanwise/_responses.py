"""What a model's answer says about itself, whichever client it came from.

The readers know OpenAI's and Anthropic's shapes by their fields and import neither client, so they work with any
version and with compatible providers. A stream is read chunk by chunk by an accumulator.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from spanwise import _anthropic, _openai
from spanwise._reading import Reading

__all__ = ["Accumulator", "Reading", "StreamReader", "is_stream", "read"]


class Accumulator(Protocol):
    """Collects the chunks of one stream."""

    def add(self, chunk: Any) -> None:
        """Take one chunk."""

    def reading(self) -> Reading:
        """What is known so far."""


def read(response: Any) -> Reading | None:
    """The answer's model, usage, finish reasons and messages; None when it is of no known kind."""
    for reader in (_openai.read, _anthropic.read):
        reading = reader(response)
        if reading is not None:
            return reading
    return None


def is_stream(response: Any) -> bool:
    """Whether an answer arrives in pieces: it can be iterated and is no finished answer."""
    if isinstance(response, dict | list | tuple | str | bytes):
        return False
    # The clients' `.stream()` helpers hand out a context manager whose entered value is the stream.
    is_manager = type(response).__name__.endswith("StreamManager")
    return is_manager or hasattr(response, "__next__") or hasattr(response, "__anext__")


_STARTERS: tuple[Callable[[Any], Accumulator | None], ...] = (_openai.accumulator_for, _anthropic.accumulator_for)


@dataclass(slots=True)
class StreamReader:
    """Reads a stream of any known kind: the first chunk that is recognised decides."""

    _accumulator: Accumulator | None = field(default=None)

    def add(self, chunk: Any) -> None:
        """Take one chunk as the client handed it out."""
        if self._accumulator is None:
            for starter in _STARTERS:
                self._accumulator = starter(chunk)
                if self._accumulator is not None:
                    break
            else:
                return
        self._accumulator.add(chunk)

    def reading(self) -> Reading | None:
        """What is known so far; None when no chunk was recognised."""
        return None if self._accumulator is None else self._accumulator.reading()
