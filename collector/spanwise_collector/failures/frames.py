"""The application's own frames of a stack trace: which functions it was in when an exception came up."""

import re
from typing import Final

MAX_FRAMES: Final = 5
_MAX_READ: Final = 40_000
"""Characters from a trace's end: of a deep recursion the last calls are enough."""
_PYTHON: Final = re.compile(r"""File "([^"\n]{1,512})", line \d{1,9}(?:, in ([^\n]{1,200}))?""")
_JAVASCRIPT: Final = re.compile(
    r"^\s{0,8}at (?:async )?(?:([^\n(]{1,200}) \()?((?:file:/|/|[A-Za-z]:\\)[^\n()]{1,512}?):\d{1,9}:\d{1,9}\)?",
    re.MULTILINE,
)
_FOREIGN: Final = re.compile(r"site-packages|dist-packages|[/\\]lib[/\\]python\d|node_modules|^<|\.pyenv|[/\\]Lib[/\\]")
_CHAINED: Final = "Traceback (most recent call last)"
_NO_FUNCTION: Final = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"})

Frame = tuple[str, str]
"""Module (the last folder and the file) and function."""


def own_frames(stack: str) -> tuple[Frame, ...]:
    """At most `MAX_FRAMES` frames of the application's own code, the innermost first.

    Without line numbers, which every edit moves; a function that calls itself, or is one of several that call each
    other, is there once. Code of installed packages and of the language is left out. Python's and JavaScript's
    traces are read; of chained exceptions the last one that has frames counts.

    Args:
        stack: as the client wrote it.
    """
    text = stack[-_MAX_READ:]
    for traced in reversed(text.split(_CHAINED)):
        found = _distinct(_frames(traced))
        if found:
            return found[:MAX_FRAMES]
    return ()


def _frames(text: str) -> list[Frame]:
    python = _PYTHON.findall(text)
    if python:
        return [
            (_module(path), function.strip())
            for path, function in reversed(python)
            if not _FOREIGN.search(path) and function.strip() not in _NO_FUNCTION
        ]
    return [
        (_module(path), function.strip() or "<anonymous>")
        for function, path in _JAVASCRIPT.findall(text)
        if not _FOREIGN.search(path)
    ]


def _distinct(frames: list[Frame]) -> tuple[Frame, ...]:
    return tuple(dict.fromkeys(frames))


def _module(path: str) -> str:
    """Folder and file without its ending: where the application lies differs from machine to machine."""
    *_, folder, file = ("", *re.split(r"[/\\]", path))
    stem = file.rpartition(".")[0] or file
    return f"{folder}.{stem}" if folder and ":" not in folder else stem
