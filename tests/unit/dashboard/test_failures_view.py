"""The Failures page, as Streamlit draws it over the fake of the API."""

from datetime import datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from spanwise_schemas.api_failures import Issue
from tests.support.dashboard_data import ERROR_TRACE_ID, HOSTILE, little
from tests.support.dashboard_failure_data import (
    ARGUMENTS_ID,
    HOSTILE_ISSUE_ID,
    NEW_ID,
    OLD_ID,
    REOPENED_ID,
)
from tests.support.dashboard_failures import FakeFailures
from tests.support.dashboard_fake import FakeApi
from tests.unit.dashboard.test_alerts_view import lines, some
from tests.unit.dashboard.test_views import Open, drawn, open_page, said, table, use

__all__ = ["open_page"]
Page = tuple[FakeApi, Open]


def failed(api: FakeApi) -> FakeFailures:
    """The fake's failures."""
    assert api.failed is not None
    return api.failed


def issue(api: FakeApi, issue_id: str) -> Issue:
    """An issue as it stands now."""
    found = failed(api).issue(issue_id)
    assert found is not None
    return found


def badges(app: AppTest, title: str) -> list[str]:
    """Badges of an issue in the list."""
    [rows] = [each["rows"] for each in drawn(app, "table") if each["label"] == "Issues"]
    [cell] = [row["cells"][0] for row in rows if row["cells"][0]["text"] == title]
    return [badge["text"] for badge in cell["badges"]]


def submit(app: AppTest, label: str) -> None:
    """Presses the button of a form."""
    next(button for button in app.button if button.label == label).click().run()


def test_failures_of_a_new_installation(open_page: Page) -> None:
    """Without any data the page shows how to send a first trace."""
    app = open_page[1]("failures")

    assert not app.exception
    assert "Nothing has arrived yet" in said(app)


def test_one_failure(open_page: Page) -> None:
    """A single issue: no chips to choose from, and how much it is of all."""
    api, opened = open_page
    use(api, little)
    app = opened("failures")

    assert not app.exception
    assert [row[0] for row in table(app, "Issues")] == ["lookup_invoice: timed out after 2 s"]
    assert "1 failure in 1 issue, 0." in said(app)
    assert len(app.pills) == 0


def test_issues_to_do_come_with_what_is_new_of_them(open_page: Page) -> None:
    """Most frequent first; resolved and ignored ones are not there; badges; where; the link keeps the place."""
    api, opened = open_page
    use(api, some)
    app = opened("failures", range="7d")

    assert not app.exception
    listed = table(app, "Issues")
    assert [row[2] for row in listed] == ["1,840", "310", "212", "97", "64", "41", "38", "9", "5"]
    assert badges(app, "lookup_invoice: 'invoice_id' is a required property") == ["wrong arguments", "SPIKING"]
    assert badges(app, "I can't help with account closures.") == ["refusal", "NEW"]
    assert badges(app, "429 Rate limit reached for gpt-4o on tokens per min (TPM): Limit <num>")[1] == "REOPENED"
    assert badges(app, "search_docs called 6 times with the same arguments") == ["loop", "acknowledged by Grace"]
    assert "2,616 failures in 9 issues" in said(app)
    assert "1 new and 1 spiking." in said(app)
    [rows] = [each["rows"] for each in drawn(app, "table") if each["label"] == "Issues"]
    assert rows[3]["href"] == f"failures?project=default&range=7d&issue={ARGUMENTS_ID}"
    assert rows[3]["cells"][0]["sub"] == "answer_question · gpt-4o · releases 2026.11.3, 2026.11.4 and 1 more"
    assert sum(rows[3]["cells"][1]["trend"]) == 115
    assert rows[3]["cells"][2]["delta"] == {"text": "+304%", "tone": "bad"}


def test_a_class_is_chosen_by_its_chip(open_page: Page) -> None:
    """It lands in the address; the other chips keep their counts."""
    api, opened = open_page
    use(api, some)
    app = opened("failures")
    app.pills(key="failures-class").set_value(["refusal", "loop"]).run()

    assert app.query_params["class"] == ["refusal", "loop"]
    assert [row[2] for row in table(app, "Issues")] == ["38", "9"]
    assert "truncation 1,840" in app.pills(key="failures-class").options


def test_state_order_and_text_are_in_the_address(open_page: Page) -> None:
    """What people set aside is found under its state."""
    api, opened = open_page
    use(api, some)
    app = opened("failures")
    app.segmented_control(key="failures-state").set_value("ignored").run()
    assert [row[0] for row in table(app, "Issues")] == ["The prompt was stopped by the filter"]
    app.segmented_control(key="failures-state").set_value("all").run()
    app.selectbox(key="failures-order").set_value("first_seen").run()
    assert table(app, "Issues")[0][0] == "I can't help with account closures."
    app.text_input(key="failures-q").set_value(" LOOKUP ").run()

    assert {key: app.query_params[key] for key in ("state", "order", "q")} == {
        "state": "all",
        "order": "first_seen",
        "q": "LOOKUP",
    }
    assert len(table(app, "Issues")) == 1


def test_nothing_failed(open_page: Page) -> None:
    """Says what would be here, and offers a wider time."""
    api, opened = open_page
    use(api, some)
    opened("failures")
    failed(api).issues = []
    app = opened("failures")

    assert "Nothing failed in this time range" in said(app)
    app.button[-1].click().run()
    assert app.query_params["range"] == "7d"


def test_nothing_is_left_to_do(open_page: Page) -> None:
    """Where all is resolved or ignored, the page says so and shows it on demand."""
    api, opened = open_page
    use(api, some)
    opened("failures")
    failed(api).issues = [one for one in failed(api).issues if one.state in ("resolved", "ignored")]
    app = opened("failures")
    assert "There were 523 failures in this time range" in said(app)

    submit(app, "Show all")

    assert app.query_params["state"] == "all"
    assert len(table(app, "Issues")) == 2


def test_filters_that_fit_nothing(open_page: Page) -> None:
    """One button takes them away."""
    api, opened = open_page
    use(api, some)
    app = opened("failures", q="no such title", **{"class": "loop"})
    assert "No issue matches" in said(app)

    submit(app, "Reset the filters")

    assert dict(app.query_params) == {"state": "all"}


def test_one_issue_from_its_address(open_page: Page) -> None:
    """What it means, how it went, where it happens, examples at their spans, and what is grouped in it."""
    api, opened = open_page
    use(api, some)
    app = opened("failures", issue=ARGUMENTS_ID)

    assert not app.exception
    [heading] = [each for each in drawn(app, "facts") if each.get("level") == 1]
    assert heading["title"] == "lookup_invoice: 'invoice_id' is a required property"
    assert [badge["text"] for badge in heading["badges"]] == ["wrong arguments", "SPIKING", "open"]
    facts = {fact["label"]: fact["text"] for fact in heading["facts"]}
    assert facts["Failures"] == "97 (+304%)"
    assert facts["Releases"] == "2026.11.3, 2026.11.4 and 1 more"
    assert lines(app)[0] == "The arguments of a tool call do not fit the tool's schema."
    [chart] = drawn(app, "chart")
    assert sum(chart["series"][0]["values"]) == 115
    assert table(app, "Prompt") == [["answer@v7", "77"], ["answer@v6", "16"], ["(none)", "3"]]
    examples = next(each["rows"] for each in drawn(app, "table") if each["label"] == "Examples")
    assert examples[0]["href"] == f"trace?project=default&trace={ERROR_TRACE_ID}&span=0000000000000006"
    assert [row[1] for row in table(app, "Fingerprints")] == [
        "the same error",
        "much the same words",
        "merged by a person",
    ]


def test_what_was_said_of_a_reopened_issue(open_page: Page) -> None:
    """Who resolved it, and with which note."""
    api, opened = open_page
    use(api, some)
    app = opened("failures", issue=REOPENED_ID)

    assert lines(app)[1].startswith("Resolved by Ada, ")
    assert lines(app)[1].endswith(": The limit was raised to 2 million tokens.")


def test_an_issue_that_did_not_happen_in_the_time_range(open_page: Page) -> None:
    """When it was seen last, and the way there."""
    api, opened = open_page
    use(api, some)
    app = opened("failures", issue=OLD_ID)
    assert "It did not happen in this time range" in said(app)
    assert "last seen 4 d ago" in said(app)

    submit(app, "Show the day before that")

    last = issue(api, OLD_ID).last_seen
    assert datetime.fromisoformat(app.query_params["to"]) == last + timedelta(minutes=1)
    assert app.query_params["issue"] == OLD_ID


def test_an_issue_that_is_not_there(open_page: Page) -> None:
    """Says so; what is no id is never sent."""
    api, opened = open_page
    use(api, some)

    assert "Not found" in said(opened("failures", issue="00000000000000ff"))
    assert "Not found" in said(opened("failures", issue="../projects"))
    assert not any("projects/" in path or ".." in path for path in api.requests)


@pytest.mark.parametrize(
    ("start", "button", "state"),
    [
        (ARGUMENTS_ID, "Acknowledge", "acknowledged"),
        (ARGUMENTS_ID, "Resolve", "resolved"),
        (ARGUMENTS_ID, "Ignore", "ignored"),
        ("1550e00000000012", "Reopen", "open"),
    ],
)
def test_saying_what_becomes_of_it(open_page: Page, start: str, button: str, state: str) -> None:
    """State, name and note go to the collector; the buttons follow the state."""
    api, opened = open_page
    use(api, some)
    app = opened("failures", issue=start)
    app.text_input(key=f"issue-{state}-by").set_value(" Grace ")
    app.text_area(key=f"issue-{state}-note").set_value("seen")
    submit(app, button)

    assert not app.exception
    now = issue(api, start)
    assert (now.state, now.changed_by, now.note) == (state, "Grace", "seen")
    assert button not in [each.label for each in app.button]


def test_merging_another_issue(open_page: Page) -> None:
    """Found by a part of its title; it is gone from the list and counted here."""
    api, opened = open_page
    use(api, some)
    app = opened("failures", issue=ARGUMENTS_ID)
    app.text_input(key="merge-q").set_value("account").run()
    chosen = app.multiselect(key="merge-issues")
    assert chosen.options == ["I can't help with account closures. · refusal · 38 times"]
    chosen.set_value([NEW_ID])
    submit(app, "Merge into this one")

    assert failed(api).merged == {NEW_ID: ARGUMENTS_ID}
    [heading] = [each for each in drawn(app, "facts") if each.get("level") == 1]
    assert heading["facts"][0]["text"].startswith("135 ")
    assert "I can't help with account closures." not in [row[0] for row in table(opened("failures"), "Issues")]


def test_a_search_for_what_to_merge_that_finds_nothing(open_page: Page) -> None:
    """Says so; the issue itself is no candidate."""
    api, opened = open_page
    use(api, some)
    app = opened("failures", issue=ARGUMENTS_ID)
    app.text_input(key="merge-q").set_value("lookup").run()

    assert "No other issue of this time range has that in its title." in said(app)


def test_splitting_opens_the_new_issue(open_page: Page) -> None:
    """What is chosen becomes an issue of its own."""
    api, opened = open_page
    use(api, some)
    app = opened("failures", issue=ARGUMENTS_ID)
    submit(app, "Split")
    assert [each.value for each in app.warning] == ["Choose some of them, and not all."]
    chosen = app.multiselect(key="split-prints")
    second = f"f1{ARGUMENTS_ID[2:]}"
    chosen.set_value([second])
    submit(app, "Split")

    assert not app.exception
    assert app.query_params["issue"] == second
    assert failed(api).prints[ARGUMENTS_ID] == 2
    assert len(table(app, "Fingerprints")) == 1


def test_hostile_text_reaches_no_markdown(open_page: Page) -> None:
    """What people and models wrote is drawn by our components, never by Streamlit's."""
    api, opened = open_page
    use(api, some)

    for parameters in ({}, {"issue": HOSTILE_ISSUE_ID}):
        app = opened("failures", **parameters)
        assert not app.exception
        assert HOSTILE in str(drawn(app, "table"))
        assert "window.pwned" not in said(app)
