"""The application: calls a function at a steady rate until its standard input ends: `python -m bench.outage.app JSON`.

With a broker it is observed, without one it is the same function bare. For each line on standard input it prints
`spanwise.stats()` as a JSON line; at the end it flushes, writes the calls to a file, and prints the last ones.
"""

import json
import random
import sys
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.normalise import WORDS

MODEL_S: Final = 0.001
TEXTS: Final = 200
TEXT_WORDS: Final = 300
MOST_CALLS: Final = 100_000
CONTROL_TURNS: Final = 2_500
"""Of an empty piece of work that takes about as long (0.3 ms) as observing two spans."""
FLUSH_S: Final = 120.0
READY: Final = "ready"
"""The first line on standard output: calls begin."""
FIELDS: Final = 4
"""Numbers per call: monotonic seconds at its begin, seconds of the whole call, of its own work in it, of the control
after it (0 where there is none)."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one application does.

    Attributes:
        calls: file for the calls, as 8-byte floats, FIELDS per call.
        rate: calls per second.
        offset_s: how long to wait before the first call, so that two applications call by turns.
        kafka: the broker; empty for the bare function.
    """

    calls: str
    rate: float
    offset_s: float
    kafka: str = ""


class Work:
    """The function's own work: waits as for a model and returns one of its answers."""

    def __init__(self) -> None:
        rng = random.Random(1)
        self._answers = [" ".join(rng.choices(WORDS, k=TEXT_WORDS)) for _ in range(TEXTS)]
        self._number = 0
        self.seconds = 0.0

    def __call__(self) -> str:
        """An answer of about 1.5 kB; `seconds` is how long it took."""
        began = time.perf_counter()
        time.sleep(MODEL_S)
        self._number += 1
        # Each answer another one, so that what waits can't be compressed better than an application's.
        at = self._number * 7 % TEXT_WORDS
        answer = f"{self._number} {self._answers[self._number % TEXTS][at:]} {self._answers[at % TEXTS][:at]}"
        self.seconds = time.perf_counter() - began
        return answer


def bare(work: Work) -> Callable[[str], str]:
    """The function as it is."""

    def answer(question: str) -> str:
        return work()

    return answer


def observed(work: Work) -> Callable[[str], str]:
    """The function with a span of its own and one for its model call."""
    import spanwise

    @spanwise.observe
    def answer(question: str) -> str:
        with spanwise.span("chat", kind="llm", model="gpt-4o", provider="openai") as call:
            call.set_input([{"role": "user", "content": question}])
            text = work()
            call.set_output({"role": "assistant", "content": text})
            call.set_usage(input_tokens=120, output_tokens=300)
        return text

    return answer


def control() -> float:
    """Seconds of work that is always the same: what it varies by is the machine's."""
    began, kept = time.perf_counter(), {}
    for turn in range(CONTROL_TURNS):
        kept[turn & 15] = str(turn)
    return time.perf_counter() - began


def calls(plan: Plan, call: Callable[[str], str], work: Work, stop: threading.Event) -> "array[float]":
    """Call at the plan's rate until told to stop. Times that could not be kept are caught up, not left out."""
    taken = array("d", bytes(8 * FIELDS * MOST_CALLS))  # touched before, so that memory does not grow by it
    began, number = time.monotonic() + plan.offset_s, 0
    while not stop.is_set() and number < MOST_CALLS:
        time.sleep(max(0.0, began + number / plan.rate - time.monotonic()))
        at, first = time.monotonic(), time.perf_counter()
        call(f"Question {number}: where is the order of last week, and is a refund possible?")
        whole = time.perf_counter() - first
        compared = 0.0 if plan.kafka else control()
        taken[number * FIELDS : (number + 1) * FIELDS] = array("d", (at, whole, work.seconds, compared))
        number += 1
    return taken[: number * FIELDS]


def say(is_flushed: bool) -> None:
    """Print the counts."""
    import spanwise

    stats = spanwise.stats()
    print(json.dumps({**asdict(stats), "flushed": is_flushed}), flush=True)


def main(argument: str) -> None:
    """Run as the plan says."""
    plan = Plan(**json.loads(argument))
    work, stop = Work(), threading.Event()
    if plan.kafka:
        import spanwise

        spanwise.init(project="bench", kafka=plan.kafka)

    def listen() -> None:
        for _ in sys.stdin:
            say(is_flushed=False)
        stop.set()

    threading.Thread(target=listen, daemon=True).start()
    print(READY, flush=True)
    taken = calls(plan, observed(work) if plan.kafka else bare(work), work, stop)
    if plan.kafka:
        say(is_flushed=spanwise.flush(FLUSH_S))
        spanwise.shutdown()
    with Path(plan.calls).open("wb") as file:
        taken.tofile(file)


if __name__ == "__main__":
    main(sys.argv[1])
