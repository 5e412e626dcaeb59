"""What a command prints: one line per part, and a passing line while something takes time."""

from typing import TextIO


class Terminal:
    """Writes plain lines; on a terminal it also shows what is being waited for.

    Attributes:
        interactive: whether the stream is a terminal, where a line may be written over.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.interactive = stream.isatty()
        encoding = (stream.encoding or "ascii").lower().replace("-", "")
        self._good, self._bad = ("✓", "✗") if encoding.startswith("utf") else ("+", "!")
        self._passing = False

    def line(self, text: str = "") -> None:
        """A line that stays."""
        self._clear()
        print(text, file=self._stream, flush=True)

    def done(self, part: str, what: str, seconds: float | None = None) -> None:
        """A part that is up, with its address or result and the time it took in seconds."""
        took = "" if seconds is None else f"  ({seconds:.1f} s)"
        self.line(f"  {self._good} {part:<10} {what}{took}")

    def failed(self, part: str, what: str) -> None:
        """A part that is not up, and why."""
        self.line(f"  {self._bad} {part:<10} {what}")

    def waiting(self, text: str) -> None:
        """A passing line, written over by the next; nothing where the output is not a terminal."""
        if self.interactive:
            self._clear()
            self._stream.write(f"  … {text}")
            self._stream.flush()
            self._passing = True

    def _clear(self) -> None:
        if self._passing:
            self._stream.write("\r\x1b[K")  # start of line, erase to its end
            self._passing = False
