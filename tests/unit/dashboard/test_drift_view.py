"""The Drift page, as Streamlit draws it over the fake of the API."""

from datetime import timedelta
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.support.dashboard_data import ERROR_TRACE_ID, HOSTILE, little
from tests.support.dashboard_fake import FakeApi
from tests.unit.dashboard.test_alerts_view import lines, some
from tests.unit.dashboard.test_views import Open, drawn, open_page, said, table, use

__all__ = ["open_page"]
Page = tuple[FakeApi, Open]


def headings(app: AppTest) -> dict[str, dict[str, str]]:
    """Facts of each finding, by its sentence."""
    return {each["title"]: {fact["label"]: fact["text"] for fact in each["facts"]} for each in drawn(app, "facts")}


def compared(app: AppTest, label: str) -> list[dict[str, Any]]:
    """Lines of pairs of shares."""
    return next(each["rows"] for each in drawn(app, "pairs") if each["label"] == label)


def test_drift_of_a_new_installation(open_page: Page) -> None:
    """Without any data the page shows how to send a first trace."""
    assert "Nothing has arrived yet" in said(open_page[1]("drift"))


def test_the_first_days_are_too_early(open_page: Page) -> None:
    """How long it still takes, and until when."""
    api, opened = open_page
    use(api, little)
    app = opened("drift")

    assert not app.exception
    first = (api.data.now + timedelta(days=5)).date()
    assert "takes 7 of them; this project has 2.6" in said(app)
    assert str(first.day) in said(app) or str(first.day - 1) in said(app)


def test_findings_come_first_with_their_size(open_page: Page) -> None:
    """Before and after with the interval, since when, evidence in words, and what the false-discovery rate means."""
    api, opened = open_page
    use(api, some)
    app = opened("drift")

    assert not app.exception
    assert lines(app)[0] == "5 of 9 series are different from the days before."
    assert "Of 20 findings like these at most 1 is false, on average." in said(app)
    facts = headings(app)["Answers with prompt answer@v7 decline three times as often as before."]
    assert facts | {"Since": ""} == {
        "Before": "2.10%",
        "That day": "7.40%",
        "Change": "+5.30 pp (+4.10 to +6.60 pp)",
        "Since": "",
        "Counted": "9,400 → 1,310",
        "Evidence": "48,000 to 1",
    }
    assert [band["label"] for band in drawn(app, "band")] == ["Refusals", "Call latency"]


def test_shares_and_subjects_can_be_checked(open_page: Page) -> None:
    """What moved most first; clusters with examples that open their traces; words that moved."""
    api, opened = open_page
    use(api, some)
    app = opened("drift")

    assert [row["label"] for row in compared(app, "Shares")] == ["gpt-4o-mini", "gpt-4o", HOSTILE]
    subject = compared(app, "Subjects")[0]
    assert [badge["text"] for badge in subject["badges"]] == ["new"]
    assert subject["examples"][0] == {
        "text": "Why does my renewal cost 20% more?",
        "href": f"trace?project=default&trace={ERROR_TRACE_ID}",
        "value": ERROR_TRACE_ID,
    }
    assert [row[0] for row in table(app, "Words that moved")] == ["increase", "renewal", "invoice"]
    assert "window.pwned" not in said(app)


def test_what_was_as_usual_and_what_could_not_be_compared(open_page: Page) -> None:
    """With values, or the reason."""
    api, opened = open_page
    use(api, some)
    app = opened("drift")

    assert table(app, "As usual")[1][:3] == ["Error rate", "1.35%", "1.30%"]
    assert [row[2] for row in table(app, "Not compared")] == [
        "12 streamed calls; 100 are needed",
        "First seen 2 days ago; 7 are needed",
    ]
    assert lines(app)[-1] == "Outputs: Not compared: bodies of answers are not recorded."


def test_another_day_is_chosen_in_the_address(open_page: Page) -> None:
    """Days with a digest, newest first."""
    api, opened = open_page
    use(api, some)
    app = opened("drift")
    day = (api.data.now - timedelta(days=3)).date()
    app.selectbox(key="drift-day").set_value(day).run()

    assert app.query_params["day"] == day.isoformat()
    assert lines(app)[0] == "All 4 series were as usual."
    assert app.selectbox(key="drift-day").value == day
