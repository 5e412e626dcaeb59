"""Samples like those of a support assistant that answers from documents, each with texts of its own."""

import json
import random
from collections.abc import Iterator
from typing import Final

from spanwise_evaluators.model import Document, Sample, ToolCall

TOOL: Final = {
    "type": "object",
    "properties": {
        "order_id": {"type": "string", "minLength": 6},
        "reason": {"enum": ["damaged", "late", "unwanted"]},
        "amount": {"type": "number", "minimum": 0},
    },
    "required": ["order_id", "reason"],
    "additionalProperties": False,
}
ANSWER: Final = {
    "type": "object",
    "properties": {
        "category": {"enum": ["billing", "shipping", "account"]},
        "priority": {"type": "integer", "minimum": 1, "maximum": 5},
        "summary": {"type": "string"},
        "steps": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["category", "priority", "summary"],
}
_NAMES: Final = ("Maria Lopez", "Acme Logistics", "Nordic Parcel", "Jonas Weber", "Porto Office", "Aurora Plan")
_SENTENCES: Final = (
    "The {name} plan costs ${price} a year and can be cancelled within {days} days of the payment.",
    "Invoices are sent by e-mail on day {days} of every month to the address that is stored in the account settings.",
    "For parcels to Norway {name} takes {days} working days, and the tracking number begins with NP{number}.",
    "A refund above ${price} has to be approved by {name}, who answers within {days} hours on working days.",
    "Customers with more than {number} requests a day are asked to move to a larger plan before the next invoice.",
    "The warranty covers batteries for {days} months; screens, cables and wear are excluded from it.",
    "Since release 4.{days} the export has {percent} % fewer columns, and dates are written as 2026-0{digit}-1{digit}.",
    "Passwords can be reset from the login page; the link is valid for {days} minutes and works only once.",
    "Open the settings, choose the tab with your name, and follow the link below the list of devices.",
    "If the payment fails, the bank usually says why; try another card or ask {name} for an invoice instead.",
    "Parcels that were damaged on their way are replaced free of charge when a photograph is sent with the complaint.",
    "Colleagues can be invited by the owner of an account, who also decides which of the projects they may see.",
    "The export runs at night and takes longer for accounts with many attachments; a message tells when it is ready.",
    "Uptime was {percent}.{number} % last quarter, which is above what the contract with {name} promises.",
)
_QUESTIONS: Final = (
    "How long does it take until my refund arrives, and who approves it?",
    "Where can I see the invoices of last year for {name}?",
    "My parcel NP{number} has not arrived yet. What can I do now?",
    "What does the {name} plan cost when I pay for {days} months?",
)


def samples(count: int, seed: int = 1) -> Iterator[Sample]:
    """Samples with four documents of about 1,000 characters: 70 % answers from these, 15 % JSON, 15 % tool calls.

    Args:
        count: how many.
        seed: of what is drawn.
    """
    rng = random.Random(seed)
    for at in range(count):
        documents = [" ".join(_filled(rng, _SENTENCES) for _ in range(10)) for _ in range(4)]
        context = tuple(Document(text, f"doc-{number}.md") for number, text in enumerate(documents, 1))
        sort = at % 20
        output = _answer(rng, documents) if sort < 14 else _as_json(rng) if sort < 17 else ""
        order = {"order_id": f"ORD-{rng.randrange(10**6)}", "reason": rng.choice(["late", "damaged", "lost"])}
        yield Sample(
            input=_filled(rng, _QUESTIONS),
            output=output,
            expected=documents[0][:120],
            context=context,
            tool_calls=() if output else (ToolCall("refund", json.dumps(order)),),
            tools={"refund": TOOL},
            latency_ms=rng.lognormvariate(7, 0.6),
            cost_nanousd=rng.randrange(10**7),
        )


def _filled(rng: random.Random, templates: tuple[str, ...]) -> str:
    return rng.choice(templates).format(
        name=rng.choice(_NAMES),
        price=f"{rng.randrange(1, 4000):,}.{rng.randrange(100):02}",
        days=rng.randrange(2, 60),
        number=rng.randrange(100, 10**6),
        percent=rng.randrange(5, 99),
        digit=rng.randrange(1, 9),
    )


def _answer(rng: random.Random, documents: list[str]) -> str:
    """Sentences out of the documents, cited; in every fifth answer with one that is in none of them."""
    told = []
    for _ in range(5):
        source = rng.randrange(4)
        told.append(f"{rng.choice(documents[source].split('. ')).rstrip('.')} [{source + 1}].")
    if rng.random() < 0.2:
        told.append(_filled(rng, _SENTENCES))
    return f"Thank you for asking! {' '.join(told)}"


def _as_json(rng: random.Random) -> str:
    return json.dumps(
        {
            "category": rng.choice(["billing", "shipping", "other"]),
            "priority": rng.randrange(1, 7),
            "summary": _filled(rng, _SENTENCES),
            "steps": [_filled(rng, _SENTENCES) for _ in range(3)],
        }
    )
