"""The application's own frames of stack traces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.failures.frames import MAX_FRAMES, own_frames

PYTHON = """Traceback (most recent call last):
  File "/srv/app/agents/answer.py", line 12, in answer
    return look_up(order)
  File "/srv/app/.venv/lib/python3.11/site-packages/tenacity/__init__.py", line 336, in wrapped_f
    return copy(f, *args, **kw)
  File "/srv/app/agents/orders.py", line 40, in look_up
    rows = [parse(row) for row in found]
  File "/srv/app/agents/orders.py", line 40, in <listcomp>
    rows = [parse(row) for row in found]
  File "/srv/app/agents/orders.py", line 55, in parse
    return int(row)
  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode
    raise JSONDecodeError
ValueError: no number
"""
FRAMES = (("agents.orders", "parse"), ("agents.orders", "look_up"), ("agents.answer", "answer"))


def test_own_frames_only() -> None:
    """Packages, the standard library and comprehensions are left out; the innermost comes first."""
    assert FRAMES == own_frames(PYTHON)


def test_neither_lines_nor_places_count() -> None:
    """An edit moves lines, another machine has another folder: the frames stay."""
    moved = PYTHON.replace("line 40", "line 44").replace("/srv/app/", "/opt/shop/")
    assert FRAMES == own_frames(moved)


def test_recursion_is_there_once() -> None:
    """A function that calls itself, alone or through another, is one frame however deep it was."""
    step = '  File "/srv/app/walk.py", line 3, in down\n  File "/srv/app/walk.py", line 9, in visit\n'
    assert own_frames(step * 3) == own_frames(step * 300) == (("app.walk", "visit"), ("app.walk", "down"))


def test_the_exception_that_was_recorded_counts() -> None:
    """Of chained exceptions it is the last one; where that has no own frames, the one before."""
    first = 'Traceback (most recent call last):\n  File "/srv/app/a.py", line 1, in inner\nKeyError: 1\n'
    between = "\nDuring handling of the above exception, another exception occurred:\n\n"
    last = 'Traceback (most recent call last):\n  File "/srv/app/b.py", line 1, in outer\nValueError: 1\n'
    foreign = last.replace("/srv/app/", "/x/site-packages/p/")
    assert (("app.b", "outer"),) == own_frames(first + between + last)
    assert (("app.a", "inner"),) == own_frames(first + between + foreign)


def test_at_most_five() -> None:
    """Of a deep stack the frames next to the error count."""
    lines = [f'  File "/srv/app/m.py", line 1, in f{number}' for number in range(20)]
    assert tuple(("app.m", f"f{number}") for number in (19, 18, 17, 16, 15)) == own_frames("\n".join(lines))
    assert MAX_FRAMES == 5


@pytest.mark.parametrize(
    ("stack", "frames"),
    [
        (
            "Error: no\n    at parse (/srv/app/src/orders.ts:10:7)\n"
            "    at async Object.lookUp (file:///srv/a/src/agent.mjs:3:5)\n"
            "    at run (/srv/app/node_modules/ai/index.mjs:481:22)\n    at node:internal/process/task_queues:95:5",
            (("src.orders", "parse"), ("src.agent", "Object.lookUp")),
        ),
        ("Error: no\n    at async file:///srv/app/main.mjs:26:7", (("app.main", "<anonymous>"),)),
        ('File "C:\\work\\bot\\main.py", line 3, in main', (("bot.main", "main"),)),
        ("", ()),
        ("something else", ()),
    ],
)
def test_other_traces(stack: str, frames: tuple[tuple[str, str], ...]) -> None:
    """JavaScript's traces are read too; what is no trace has no frames."""
    assert frames == own_frames(stack)


@given(st.text(max_size=2_000))
def test_any_text(text: str) -> None:
    """Nothing that a client may send raises."""
    assert len(own_frames(text + '\n  File "' + text)) <= MAX_FRAMES
