"""Texts of an invented shop's customers, and spans that carry them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from spanwise_collector.query.values import micros
from spanwise_collector.query.window import DAY, HOUR, Window
from spanwise_collector.store.database import Database
from tests.support.rows import T0, Span, insert

NOW = micros(T0)
_THINGS = (
    "lamp",
    "sofa",
    "bicycle",
    "kettle",
    "jacket",
    "camera",
    "desk",
    "tent",
    "guitar",
    "printer",
    "mirror",
    "rug",
)
_WHEN = ("last Monday", "in May", "yesterday", "two weeks ago", "for my mother", "with a voucher", "from your outlet")
_FRAMES = (
    "where is the {thing} that I ordered {when}",
    "I want to send back the {thing} I bought {when}",
    "the {thing} that I got {when} arrived broken",
    "can I still cancel the {thing} ordered {when}",
    "please change the delivery address for my {thing} from {when}",
    "was I charged twice for the {thing} bought {when}?",
    "is the {thing} in stock again, I missed it {when}",
    "I need an invoice for the {thing} that I paid {when}",
    "does the {thing} I ordered {when} come with a warranty",
    "my discount code did not work on the {thing} {when}",
    "how do I put together the {thing} delivered {when}",
    "the {thing} sent {when} is the wrong colour",
)
FOREIGN = tuple(
    f"{verb} {what}"
    for verb, what in product(
        ("who discovered", "explain to a child", "write a poem about", "how far away is", "what is the mass of"),
        ("the moons of Jupiter", "a black hole", "the Andromeda galaxy", "Halley's comet", "a neutron star"),
    )
)


def usual_texts(rng: np.random.Generator, n: int) -> list[str]:
    """Requests at random, with an order number that makes each another text."""
    frames, things, whens = (rng.integers(len(words), size=n) for words in (_FRAMES, _THINGS, _WHEN))
    return [
        f"{_FRAMES[frame].format(thing=_THINGS[thing], when=_WHEN[when])}, order {rng.integers(10_000)}"
        for frame, thing, when in zip(frames, things, whens, strict=True)
    ]


def foreign_texts(rng: np.random.Generator, n: int) -> list[str]:
    """Requests that no shop is there for."""
    return [FOREIGN[place] for place in rng.integers(len(FOREIGN), size=n)]


@dataclass(slots=True)
class Sender:
    """Stores traces of one root span each, with texts, at even distances.

    Attributes:
        database: where to.
        project: whose.
        first: number of its first trace.
    """

    database: Database
    project: str = "shop"
    first: int = 1

    def send(self, texts: Sequence[str], window: Window, outputs: Iterable[str] = ()) -> None:
        """One trace per text, from the start of the window on."""
        answers = list(outputs) or [""] * len(texts)
        step = (window.end - window.start) // max(1, len(texts))
        spans = []
        for place, (text, answer) in enumerate(zip(texts, answers, strict=True)):
            at = (window.start + place * step - NOW) / 1000
            number = self.first
            self.first += 1
            spans.append(
                Span(
                    trace=number,
                    span=number,
                    at_ms=at,
                    project=self.project,
                    kind="llm",
                    input=text,
                    output=answer,
                    bodies_stored=False,
                )
            )
        insert(self.database, spans, token=f"{self.project}:{self.first}")


def days_ago(days: float, length: float = 1.0) -> Window:
    """A window that begins so many days before now."""
    start = NOW // HOUR * HOUR - round(days * DAY)
    return Window(start, start + round(length * DAY))
