"""Reviewing with the keyboard alone, on the real stack: Kafka, ClickHouse, the API, a page; no part of it is a fake."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from spanwise_collector.embedded.broker import free_port
from tests.browser.conftest import WAIT_MS
from tests.support.running import ask, command, eventually, ready, run_program, up_arguments

expect.set_options(timeout=WAIT_MS)

PROGRAM = """
import spanwise

spanwise.init(environment="test")

for number in (1, 2, 3):
    with spanwise.span("assistant", kind="chain") as span:
        span.set_input(f"Where is order {number}?")
        span.set_output(f"Order {number} is on its way")
"""
QUESTIONS = [
    {"name": "correct", "text": "Is the answer correct?"},
    {"name": "tone", "kind": "categories", "categories": ["warm", "cold"], "text": "How does it sound?"},
]


@dataclass(frozen=True, slots=True)
class Stack:
    """Where dashboard and collector answer."""

    dashboard: str
    collector: str

    def scores(self, number: int) -> list[tuple[str, Any, str, str, str]]:
        """What reviewers' scores say, once there are so many."""

        def read() -> list[Any] | None:
            items = ask(self.collector, "/api/v1/scores", source="human")["items"]
            return items if len(items) == number else None

        found = eventually(read, what=f"{number} scores of reviewers")
        keys = ("name", "value", "label", "evaluator", "explanation")
        return sorted(tuple(one[key] for key in keys) for one in found)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """`spanwise up` that has stored the three traces of `PROGRAM`."""
    directory = tmp_path_factory.mktemp("annotate")
    arguments = up_arguments(directory / "data", "--dashboard-port", str(free_port()))
    with command(*arguments, output=directory / "output") as running:
        state = ready(running, directory / "data")
        run_program(PROGRAM, SPANWISE_KAFKA=state.kafka)

        def all_stored() -> bool | None:
            return ask(state.collector, "/api/v1/pipeline")["totals"]["stored"] == 3 or None

        eventually(all_stored, what="three spans")
        yield Stack(state.dashboard, state.collector)


def settled(page: Page) -> None:
    """Waits until the page has run."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')


def press(page: Page, key: str) -> None:
    """Types a key once the page is ready for it."""
    settled(page)
    page.keyboard.press(key)
    settled(page)


def test_a_queue_is_made_on_the_page(page: Page, stack: Stack) -> None:
    """The empty page says what a queue is; the form makes one, and asks who reviews."""
    page.goto(f"{stack.dashboard}/annotate")
    expect(page.get_by_text("No queue yet")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("First look")
    share = page.get_by_role("spinbutton", name="At random, %")
    share.fill("100")
    share.press("Tab")
    settled(page)
    page.get_by_role("button", name="Make the queue").click()

    expect(page.get_by_text("Who reviews?")).to_be_visible()
    (queue,) = ask(stack.collector, "/api/v1/annotations/queues")["items"]
    assert (queue["queue"]["name"], queue["queue"]["random_share"]) == ("First look", 1.0)
    httpx.delete(f"{stack.collector}/api/v1/annotations/queues/{queue['queue_id']}").raise_for_status()


def test_reviewing_by_keyboard(page: Page, stack: Stack) -> None:
    """Y and digits answer, M comments, O corrects, Enter saves and brings the next, S skips; scores are in the API."""
    queue = {
        "name": "Answers",
        "questions": QUESTIONS,
        "random_share": 1,
        "second_share": 0,
        "delay_minutes": 0,
        "instructions": "Compare with the order book.",
    }
    made = httpx.post(f"{stack.collector}/api/v1/annotations/queues", json={"queue": queue}).raise_for_status().json()
    assert made["progress"]["items"] == 3
    page.goto(f"{stack.dashboard}/annotate")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Compare with the order book.")).to_be_visible()
    expect(page.get_by_text("0 of 3 done")).to_be_visible()
    expect(page.get_by_text("Order 1 is on its way")).to_be_visible()

    press(page, "n")
    expect(page.get_by_role("button", name=re.compile("^No"))).to_have_attribute("kind", "primary")
    press(page, "2")
    expect(page.get_by_role("button", name=re.compile("^cold"))).to_have_attribute("kind", "primary")
    press(page, "m")
    page.keyboard.type("Yes, it knows nothing")  # y and s are letters here
    press(page, "Escape")
    press(page, "o")
    page.keyboard.type("Order 1 is lost")
    press(page, "Escape")
    press(page, "Enter")
    expect(page.get_by_text("1 of 3 done · 1 by you")).to_be_visible()
    expect(page.get_by_text("Order 2 is on its way")).to_be_visible()
    press(page, "s")
    expect(page.get_by_text("2 of 3 done, 1 skipped · 1 by you")).to_be_visible()
    expect(page.get_by_text("Order 3 is on its way")).to_be_visible()
    press(page, "y")
    # A key that comes while the page still runs is nobody's: seen first, then the next.
    expect(page.get_by_role("button", name=re.compile("^Yes"))).to_have_attribute("kind", "primary")
    press(page, "Enter")
    expect(page.get_by_text("All done")).to_be_visible()

    assert stack.scores(3) == [
        ("correct", 0.0, "false", "Ada", "Yes, it knows nothing"),
        ("correct", 1.0, "true", "Ada", ""),
        ("tone", None, "cold", "Ada", "Yes, it knows nothing"),
    ]
    (correction,) = ask(stack.collector, "/api/v1/annotations/corrections")["items"]
    assert (correction["output"], correction["by"]) == ("Order 1 is lost", "Ada")

    settled(page)
    page.get_by_role("button", name="Make a dataset").click()
    page.get_by_role("button", name="Add to the dataset").click()
    page.get_by_role("link", name="1 item in version 1: 1 added. Open the dataset").click()
    expect(page.get_by_text("Where is order 1?")).to_be_visible()
    (item,) = ask(stack.collector, "/api/v1/datasets/Answers/items")["items"]
    assert (item["input"], item["expected"], item["rejected"]) == (
        "Where is order 1?",
        "Order 1 is lost",
        "Order 1 is on its way",
    )


def test_the_name_outlives_a_reload(page: Page, stack: Stack) -> None:
    """It stands in the address; another reviewer can take the chair."""
    page.goto(f"{stack.dashboard}/annotate?reviewer=Grace")
    expect(page.get_by_text("All done")).to_be_visible()
    page.reload()
    expect(page.get_by_text("All done")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Another reviewer").click()
    expect(page.get_by_text("Who reviews?")).to_be_visible()
