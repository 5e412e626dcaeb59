"""The Compare page, as Streamlit draws it over the fake of the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from spanwise_dashboard.components.differences import Difference, payload
from spanwise_dashboard.components.table import Badge
from spanwise_dashboard.views.compare_words import difference, interval, verdict
from spanwise_schemas.api_compare import Compared
from tests.support.dashboard_data import HOSTILE, little
from tests.support.dashboard_failure_data import ARGUMENTS_ID
from tests.support.dashboard_fake import FakeApi
from tests.unit.dashboard.test_alerts_view import lines, some
from tests.unit.dashboard.test_views import Open, drawn, open_page, said, table, use

__all__ = ["open_page"]
Page = tuple[FakeApi, Open]


def rows(app: AppTest, label: str) -> dict[str, dict[str, Any]]:
    """Lines of differences, by their title."""
    [found] = [each["rows"] for each in drawn(app, "differences") if each["label"] == label]
    return {row["title"]: row for row in found}


def asked(api: FakeApi, path: str) -> list[str]:
    """Requests for a path."""
    return [each for each in api.requests if each.startswith(f"/api/v1/{path}")]


def test_comparing_on_a_new_installation(open_page: Page) -> None:
    """Without any data the page shows how to send a first trace."""
    assert "Nothing has arrived yet" in said(open_page[1]("compare"))


def test_two_traces_are_too_little(open_page: Page) -> None:
    """Values are there, nothing is claimed, and no cause is looked for by itself."""
    api, opened = open_page
    use(api, little)
    app = opened("compare")

    assert not app.exception
    assert lines(app)[0] == "There is too little data on one of the sides to tell."
    row = rows(app, "Metrics")["Error rate"]
    assert (row["a"], row["b"], row["text"], row["bar"]) == ("0%", "50.0%", "", None)
    assert row["verdict"]["text"] == "too little data"
    assert "Choose a number" in said(app)
    assert asked(api, "what-changed") == []


def test_the_time_range_against_the_one_before(open_page: Page) -> None:
    """What is worse comes first, with its interval around zero; scores and failures too."""
    api, opened = open_page
    use(api, some)
    app = opened("compare")

    assert not app.exception
    assert lines(app)[:2] == [
        "B against A: worse: error rate, time to first token, score groundedness; better: cost per request; different: "
        "output tokens.",
        "The sides cover different hours of the day, which may explain some of the difference.",
    ]
    metrics = rows(app, "Metrics")
    assert {title: row["verdict"]["text"] for title, row in metrics.items()} == {
        "Error rate": "worse",
        "Time to first token": "worse",
        "Cost per request": "better",
        "Output tokens": "different",
        "Latency": "no difference beyond chance",
        "Failed calls": "too small to matter",
        "Cache hits": "no difference beyond chance",
        "Empty retrievals": "too little data",
    }
    worst = metrics["Error rate"]
    assert (worst["a"], worst["b"], worst["text"]) == ("1.30%", "9.40%", "+8.10 pp")
    assert worst["interval"] == "+7.60 to +8.60 pp"
    assert worst["counted"] == "48.0k and 24.0k counted"
    assert 0.5 < worst["bar"]["low"] < worst["bar"]["value"] < worst["bar"]["high"]
    assert metrics["Cost per request"]["bar"]["high"] < 0.5
    assert metrics["Latency"]["bar"]["low"] < 0.5 < metrics["Latency"]["bar"]["high"]
    scores = rows(app, "Scores")
    assert list(scores) == ["Score groundedness", "Score helpfulness", "Score tone"]
    assert scores["Score groundedness"]["counted"] == "1,900 and 1,100 counted"
    assert scores["Score helpfulness"]["counted"] == "1,900 and 1,100 counted, corrected by 212 and 140 labels"
    assert scores["Score tone"]["verdict"]["text"] == "judge not trusted"
    assert scores["Score tone"]["verdict"]["title"].endswith("kappa 0.31 with 352 labels is below 0.4.")
    assert table(app, "Failures")[0] == ["lookup_invoice: 'invoice_id' is a required property", "4", "97", ""]
    [failures] = [each["rows"] for each in drawn(app, "table") if each["label"] == "Failures"]
    assert failures[0]["href"] == f"failures?project=default&issue={ARGUMENTS_ID}"


def test_both_sides_say_when_and_how_much(open_page: Page) -> None:
    """Equal lengths, one after the other."""
    api, opened = open_page
    use(api, some)
    app = opened("compare", **{"from": "2025-03-02T00:00:00Z", "to": "2025-03-03T12:00:00Z"})

    sides = [each for each in drawn(app, "facts") if each.get("level") == 2][:2]
    assert [side["title"] for side in sides] == [
        "A: 28 Feb 2025 12:00 to 2 Mar 2025 00:00",
        "B: 2 Mar 2025 00:00 to 3 Mar 2025 12:00",
    ]
    assert [[fact["text"] for fact in side["facts"]] for side in sides] == [["48.0k", "72.0k"], ["24.0k", "48.0k"]]


def test_what_moved_first_is_explained(open_page: Page) -> None:
    """Between the same two time ranges; another number is chosen, or clicked in the table."""
    api, opened = open_page
    use(api, some)
    app = opened("compare", **{"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"})

    [question] = asked(api, "what-changed")
    assert "signal=error_rate" in question
    assert "from=2026-03-02T00%3A00%3A00Z&to=2026-03-03T00%3A00%3A00Z" in question
    assert "before_from=2026-03-01T00%3A00%3A00Z&before_to=2026-03-02T00%3A00%3A00Z" in question
    assert table(app, "Where it comes from")[0][0] == "model gpt-4o, prompt answer@v7"
    [grown] = [each["rows"] for each in drawn(app, "table") if each["label"] == "Failures that grew"]
    assert grown[0]["href"].endswith(f"&issue={ARGUMENTS_ID}")
    assert rows(app, "Metrics")["Latency"]["href"].endswith("&signal=latency")

    app.selectbox(key="compare-signal").set_value("spend").run()

    assert app.query_params["signal"] == "spend"
    assert "signal=spend" in asked(api, "what-changed")[-1]


def test_the_same_time_a_week_before(open_page: Page) -> None:
    """Of another week; in the address."""
    api, opened = open_page
    use(api, some)
    app = opened("compare", **{"from": "2026-03-09T00:00:00Z", "to": "2026-03-10T00:00:00Z"})
    app.selectbox(key="compare-against").set_value("week").run()

    assert app.query_params["against"] == "week"
    assert "a_from=2026-03-02T00%3A00%3A00Z&a_to=2026-03-03T00%3A00%3A00Z" in asked(api, "compare?")[-1]


def test_another_time_range_is_typed_in(open_page: Page) -> None:
    """It begins as what was compared; where both overlap nothing is explained, and the page says why."""
    api, opened = open_page
    use(api, some)
    app = opened("compare", **{"from": "2026-03-09T00:00:00Z", "to": "2026-03-10T00:00:00Z"})
    app.selectbox(key="compare-against").set_value("custom").run()
    assert app.query_params["a_from"] == "2026-03-08T00:00:00Z"
    before = len(asked(api, "what-changed"))

    late = app.datetime_input(key="compare-to")
    assert late.value is not None
    late.set_value(late.value + timedelta(hours=6)).run()

    assert app.query_params["a_to"] == "2026-03-09T06:00:00Z"
    assert "The two time ranges overlap." in said(app)
    assert len(asked(api, "what-changed")) == before


@pytest.mark.parametrize(
    ("by", "first", "last"),
    [
        ("release", "2026.11.3", "2026.11.4"),
        ("prompt", "answer@v6", "answer@v7"),
        ("model", "gpt-4o", "claude-sonnet-4-5"),
    ],
)
def test_the_newest_against_the_one_before(open_page: Page, by: str, first: str, last: str) -> None:
    """Both in the time range, with when they were first seen; nothing is explained, for that takes two times."""
    api, opened = open_page
    use(api, some)
    app = opened("compare", compare=by)

    assert not app.exception
    assert lines(app)[0].startswith(f"{last} against {first}: worse: ")
    assert [each["sides"] for each in drawn(app, "differences")] == [[first, last]] * 2
    assert app.selectbox(key="compare-b").options[0].startswith(f"{last} · first seen 5 h ago, 9,000 calls")
    sides = [each for each in drawn(app, "facts") if each.get("level") == 2][:2]
    assert [side["title"] for side in sides] == [f"A: {first}", f"B: {last}"]
    assert asked(api, "what-changed") == []
    assert rows(app, "Metrics")["Latency"]["href"] == ""


def test_choosing_and_swapping_sides(open_page: Page) -> None:
    """Both land in the address."""
    api, opened = open_page
    use(api, some)
    app = opened("compare", compare="release")
    app.selectbox(key="compare-a").set_value("2026.11.2").run()
    assert (app.query_params["a"], app.query_params["b"]) == ("2026.11.2", "2026.11.4")
    app.button(key="compare-swap").click().run()
    assert (app.query_params["a"], app.query_params["b"]) == ("2026.11.4", "2026.11.2")
    app.selectbox(key="compare-a").set_value("2026.11.2").run()

    assert "Both sides are the same." in said(app)


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("release", "There is none in this time range. Say which release runs, with `SPANWISE_RELEASE`"),
        ("prompt", "There is one in this time range. Name the prompt and its version"),
        ("model", "There is one in this time range. Models are compared as soon as"),
    ],
)
def test_fewer_than_two_to_compare(open_page: Page, by: str, words: str) -> None:
    """How a second one comes about."""
    api, opened = open_page
    use(api, little)
    app = opened("compare", compare=by)

    assert not app.exception
    assert words in said(app)
    app.button[-1].click().run()
    assert app.query_params["range"] == "7d"


def test_choosing_what_tells_the_sides_apart(open_page: Page) -> None:
    """What was chosen before of the sides is gone with them."""
    api, opened = open_page
    use(api, some)
    app = opened("compare", compare="release", a="2026.11.2")
    app.segmented_control(key="compare-by").set_value("model").run()

    assert app.query_params["compare"] == "model"
    assert "a" not in app.query_params


def test_hostile_values_reach_no_markdown(open_page: Page) -> None:
    """A release may be named anything; it is drawn by our components, or as a plain option."""
    api, opened = open_page
    use(api, some)
    app = opened("compare", compare="release", a=HOSTILE)

    assert not app.exception
    assert HOSTILE in lines(app)[0]
    assert "window.pwned" not in said(app)


def line(value: float, low: float, high: float, scale: str = "s") -> Difference:
    """A line with nothing but its difference."""
    return Difference("x", "", "", "", "", "", "", value, low, high, scale, Badge(""))


def test_lines_of_one_scale_are_drawn_alike() -> None:
    """The furthest end is the edge; other scales have their own; one that is far too wide is cut, not the rest."""
    shown = [line(0.1, 0.0, 0.2), line(-0.05, -0.1, 0.0), line(400.0, -800.0, 800.0, "other")]
    bars = [row["bar"] for row in payload("", ("A", "B"), shown)["rows"]]  # type: ignore[attr-defined]
    assert bars == [
        {"low": 0.5, "high": 1.0, "value": 0.75, "cut": [False, False]},
        {"low": 0.25, "high": 0.5, "value": 0.375, "cut": [False, False]},
        {"low": 0.0, "high": 1.0, "value": 0.75, "cut": [False, False]},
    ]

    wide = [*shown[:2], line(0.0, -9.0, 9.0)]
    cut = [row["bar"] for row in payload("", ("A", "B"), wide)["rows"]]  # type: ignore[attr-defined]
    assert cut[2]["cut"] == [True, True]
    assert cut[0]["high"] == pytest.approx(0.5 + 0.2 / 0.6 / 2, abs=1e-4)


def test_differences_read_by_their_unit() -> None:
    """In percent of the first side where relative, else in points."""
    rate = Compared(
        signal="error_rate", title="", unit="ratio", a=0.1, b=0.2, difference=0.1, low=0.05, high=0.15, verdict="worse"
    )
    mean = rate.model_copy(update={"unit": "ms", "relative": True, "difference": -0.0004, "low": -0.2, "high": 0.021})

    assert (difference(rate), interval(rate)) == ("+10.0 pp", "+5.00 to +15.0 pp")
    assert (difference(mean), interval(mean)) == ("0%", "-20% to +2.1%")
    assert difference(rate.model_copy(update={"difference": None})) == ""


@pytest.mark.parametrize(("p", "words"), [(0.2, "no difference beyond chance"), (0.01, "too small to matter")])
def test_what_is_sure_but_small(p: float, words: str) -> None:
    """A difference beyond chance that is too small is not called chance."""
    row = Compared(
        signal="latency", title="", unit="ms", a=1.0, b=1.0, p_value=p, relative=True, verdict="no_difference"
    )

    assert verdict(row).text == words


def test_preset_ranges_move_with_the_clock(open_page: Page) -> None:
    """The first side ends where the second begins."""
    api, opened = open_page
    use(api, some)
    opened("compare", range="1h")

    question = asked(api, "compare?")[-1]
    times = dict(part.split("=") for part in question.partition("?")[2].split("&"))
    assert times["a_to"] == times["from"]
    start, end = (datetime.fromisoformat(times[key].replace("%3A", ":")) for key in ("a_from", "to"))
    assert end - start == timedelta(hours=2)
    assert abs(end - datetime.now(UTC)) < timedelta(hours=1)
