"""Datasets and experiments for the dashboard's tests and screenshots, put into a real database."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from spanwise_collector.api.curated import Curated, make_curated
from spanwise_collector.datasets.model import item_of
from spanwise_collector.store.database import Database
from spanwise_schemas.api_datasets import NewItem
from spanwise_schemas.api_experiments import ExperimentDraft, ItemResult
from tests.support.curated import ticking
from tests.support.dashboard_data import HOSTILE

QUESTIONS = (
    "How do I reset my password?",
    "Where is my invoice for October?",
    "Can I change the delivery address after the order has shipped?",
    "Do you ship to Norway, and what does it cost for two parcels of different weight?",
    "My card was charged twice",
    "How long does a refund take?",
)
BEFORE = "You can find it under Account, Billing. Your invoice of {n} euros was sent on 3 October; it is paid."
AFTER = "You find it under Settings, Billing. The invoice of {n} euros was sent on 3 October and has been paid already."
CHAT = [
    {"role": "system", "content": "You are a support agent. Answer in one paragraph."},
    {"role": "user", "content": "Where is my invoice?"},
]


def curated(database: Database, now: Callable[[], datetime] | None = None) -> Curated:
    """Datasets and experiments in a database."""
    ids = (f"{number:016x}" for number in range(1, 10_000))
    return make_curated(database, now=now or ticking(datetime.now(UTC)), new_id=lambda: next(ids), timeout_s=30)


def little(database: Database) -> None:
    """One dataset of two items and one experiment over it."""
    made = curated(database)
    made.datasets.make("default", "smoke")
    made.datasets.change(
        "default", "smoke", [item_of(NewItem(item_id=f"s{n}", input=QUESTIONS[n], expected="yes")) for n in range(2)]
    )
    _run(made, "first", "smoke", 1, [_result(f"s{n}", n, {"exact": float(n)}, "yes") for n in range(2)])


def lots(database: Database) -> None:
    """Datasets with versions, a hostile one among them, and experiments that differ, fail, run on."""
    start = datetime.now(UTC) - timedelta(days=9)
    made = curated(database, ticking(start))
    for name, words in (
        ("support-questions", "What customers ask, with answers that a person has checked"),
        ("refusals", "Questions that must be refused"),
        ("hostile", HOSTILE),
        ("empty one", ""),
    ):
        made.datasets.make("default", name, description=words, by="Ada Lovelace")
    items = [_item(number) for number in range(180)]
    made.datasets.change("default", "support-questions", items[:120], note="from tickets.csv", by="Ada Lovelace")
    made.datasets.change(
        "default", "support-questions", items[100:], ["q0003", "q0004"], note="from traces", by="Grace"
    )
    corrected = NewItem(
        item_id="q0007", input=QUESTIONS[1], expected="Under Settings, Billing.", rejected="I do not know."
    )
    made.datasets.change("default", "support-questions", [item_of(corrected)], note="Corrected in review", by="Grace")
    made.datasets.change("default", "refusals", [item_of(NewItem(input=f"Forbidden {n}")) for n in range(12)])
    made.datasets.change(
        "default", "hostile", [item_of(NewItem(item_id="h", input=HOSTILE, expected=HOSTILE, group=HOSTILE[:200]))]
    )
    rng = random.Random(5)
    later = ticking(datetime.now(UTC) - timedelta(days=2))
    made = curated(database, later)
    for run, (name, ease, template) in enumerate((("main", 0.9, BEFORE), ("concise-prompt", 0.68, AFTER))):
        results = []
        for number in range(160):
            right = float(rng.random() < ease)
            scores = {"exact": right, "groundedness": round(min(1.0, rng.betavariate(8, 2) + 0.01 * run), 3)}
            scores["length"] = float(rng.randint(60, 90) - 12 * run)
            output = template.format(n=20 + number if right else 99)
            results.append(_result(f"q{number:04}", number, scores, output, took=900.0 - 200 * run + number))
        if run:
            results[5] = results[5].model_copy(update={"error": "TimeoutError: no answer within 30 s", "output": None})
        _run(
            made,
            name,
            "support-questions",
            3,
            results,
            metadata={"model": "gpt-4o-mini", "prompt": f"support@v{7 + run}"},
            release=f"2026.11.{3 + run}",
            by="ci",
        )
    _run(made, "hostile", "hostile", 1, [_result("h", 0, {"exact": 1.0}, HOSTILE, given=HOSTILE)])
    _run(made, HOSTILE[:60], "hostile", 1, [_result("h", 0, {"exact": 0.0}, f"{HOSTILE} again", given=HOSTILE)])
    made.experiments.begin(
        "default",
        ExperimentDraft(experiment_id="night", name="nightly", dataset="refusals", dataset_version=1, items=12),
    )


def _item(number: int) -> Any:
    given: Any = CHAT if number % 9 == 0 else f"{QUESTIONS[number % len(QUESTIONS)]} ({number})"
    return item_of(
        NewItem(
            item_id=f"q{number:04}",
            input=given,
            expected=BEFORE.format(n=20 + number) if number % 3 else None,
            metadata={"topic": ("billing", "shipping")[number % 2]},
            group=f"ticket-{number // 3}" if number % 2 else "",
            trace_id=f"{number + 1:032x}" if number >= 100 else "",
            span_id=f"{number + 1:016x}" if number >= 100 else "",
        )
    )


def _result(
    item: str, number: int, scores: dict[str, float], output: Any, *, took: float = 200.0, given: str = ""
) -> ItemResult:
    return ItemResult(
        item_id=item,
        input=given or QUESTIONS[number % len(QUESTIONS)],
        expected=given or BEFORE.format(n=20 + number),
        output=output,
        duration_ms=took,
        scores=scores,
        explanations={"exact": "differs from what was expected"} if not scores.get("exact") else {},
        trace_id=f"{number + 1:032x}",
        span_id=f"{number + 1:016x}",
    )


def _run(made: Curated, name: str, dataset: str, version: int, results: list[ItemResult], **more: Any) -> None:
    experiment_id = f"{name.replace(' ', '-')}-{version}" if name.isascii() and name.isprintable() else "odd"
    experiment_id = "".join(each for each in experiment_id if each.isalnum() or each in "-._") or "odd"
    draft = ExperimentDraft(
        experiment_id=experiment_id.lstrip("-._")[:40],
        name=name,
        dataset=dataset,
        dataset_version=version,
        items=len(results),
        evaluators={"exact": "1"},
        **more,
    )
    made.experiments.begin("default", draft)
    made.experiments.add("default", draft.experiment_id, results)
    made.experiments.end("default", draft.experiment_id, "finished")
