"""A queue of answers to review, with a first few reviewed, and a dataset of what was corrected: over the HTTP API."""

from typing import Any, Final
from urllib.parse import urlencode

from examples.support_bot.reviews import NAME, REVIEWERS
from spanwise_collector.cli.http import get, post

DATASET: Final = "corrected-answers"
REVIEWED: Final = 6
_QUEUE: Final[dict[str, Any]] = {
    "name": "Support answers",
    "instructions": "Would the customer know what to do? An answer that asks for what is missing helps, a refusal does "
    "not.",
    "questions": [
        {"name": NAME, "text": "Is the answer helpful?"},
        {"name": "tone", "text": "How does it sound?", "kind": "categories", "categories": ["warm", "neutral", "cold"]},
    ],
    "random_share": 0.1,
    "rules": [{"name": "Refusals", "failures": ["refusal"], "share": 0.2}],
    "second_share": 0.2,
    "max_open": 40,
    "lookback_hours": 72,
    "delay_minutes": 0,
}
_CORRECTION: Final = (
    "I am sorry about that. Please tell me the number of your order; then I can say where it is, and what we can do "
    "about it."
)


def fill_queue(collector: str, project: str) -> str:
    """Make the queue with its first reviews, unless an earlier demo did.

    Args:
        collector: address of the API.
        project: whose.

    Returns:
        What was done, in a sentence.
    """
    api = _Api(collector, project)
    if any(one["queue"]["name"] == _QUEUE["name"] for one in api.read("annotations/queues").get("items", [])):
        return "The annotation queue of an earlier demo is there already."
    made = api.send("annotations/queues", {"queue": _QUEUE, "by": "demo"})
    at = f"annotations/queues/{made['queue_id']}"
    reviewed = 0
    for number in range(REVIEWED):
        reviewer = REVIEWERS[number % len(REVIEWERS)]
        item = api.send(f"{at}/next", {"reviewer": reviewer}).get("item")
        if item is None:
            break
        api.send(f"{at}/items/{item['item_id']}/reviews", _review(reviewer, helpful=number % 3 != 2))
        reviewed += 1
    api.send("datasets", {"name": DATASET, "description": "What reviewers would have answered", "by": "demo"})
    found = api.send(f"datasets/{DATASET}/from-corrections", {}, note="from corrections", by="demo")
    return (
        f"{made['progress']['items']} answers wait for reviewers, {reviewed} are reviewed, see Annotate; "
        f"{found['items']} corrected ones are the dataset {DATASET}"
    )


def _review(reviewer: str, *, helpful: bool) -> dict[str, Any]:
    said = {"reviewer": reviewer, "answers": {NAME: helpful, "tone": "warm" if helpful else "cold"}}
    return said if helpful else {**said, "comment": "The customer is left alone.", "correction": _CORRECTION}


class ReviewError(Exception):
    """The collector did not take it; the message says why."""


class _Api:
    """The collector's API of one project."""

    def __init__(self, collector: str, project: str) -> None:
        self._collector = collector
        self._project = project

    def read(self, path: str) -> dict[str, Any]:
        return self._good(get(self._at(path), timeout_s=30.0), path)

    def send(self, path: str, body: dict[str, Any], **parameters: str) -> dict[str, Any]:
        return self._good(post(self._at(path, **parameters), body, timeout_s=60.0), path)

    def _at(self, path: str, **parameters: str) -> str:
        return f"{self._collector}/api/v1/{path}?{urlencode({'project': self._project, **parameters})}"

    @staticmethod
    def _good(answer: Any, path: str) -> dict[str, Any]:
        if answer is None or answer.status >= 300:
            said = "no answer" if answer is None else answer.body[:300].decode(errors="replace")
            raise ReviewError(f"{path}: {said}")
        found: dict[str, Any] = answer.json()
        return found
