"""The Alerts page, as Streamlit draws it over the fake of the API."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from spanwise_schemas.api import Problem
from spanwise_schemas.api_alerts import Alert
from tests.support.dashboard_alert_data import FIRING_ID, HOSTILE_ALERT_ID, PROMISE, SILENCED_ID
from tests.support.dashboard_alerts import FakeAlerts
from tests.support.dashboard_data import HOSTILE, Dataset, little, lots
from tests.support.dashboard_fake import FakeApi
from tests.unit.dashboard.test_views import Open, drawn, open_page, said, table, use

__all__ = ["open_page"]
Page = tuple[FakeApi, Open]


def some(now: datetime) -> Dataset:
    """Enough for alerts, and made in a moment."""
    return lots(now, traces=2, big_spans=6)


def told(api: FakeApi) -> FakeAlerts:
    """The fake's alerts."""
    assert api.told is not None
    return api.told


def cards(app: AppTest, label: str) -> list[dict[str, Any]]:
    """Cards, by their list's label."""
    return next((each["cards"] for each in drawn(app, "cards") if each["label"] == label), [])


def lines(app: AppTest) -> list[str]:
    """Lines of plain text."""
    return [line["text"] for each in drawn(app, "lines") for line in each["lines"]]


def alert(api: FakeApi, alert_id: str = FIRING_ID) -> Alert:
    """An alert as it stands now."""
    return next(each for each in told(api).alerts if each.alert_id == alert_id)


def test_alerts_of_a_new_installation(open_page: Page) -> None:
    """Without any data the page shows how to send a first trace."""
    app = open_page[1]("alerts")

    assert not app.exception
    assert "Nothing has arrived yet" in said(app)


def test_quiet_days_say_who_watches(open_page: Page) -> None:
    """Built-in rules are named as such, with where to go on."""
    api, opened = open_page
    use(api, little)
    app = opened("alerts")

    assert "Nothing fires. 2 rules watch 2 series; looked" in said(app)
    assert "Write your own under **Rules**" in said(app)
    assert drawn(app, "cards") == []


def test_what_fires_comes_with_cause_and_promise(open_page: Page) -> None:
    """The loudest first; what was taken or silenced later and softer; apart what is not sure or cannot be judged."""
    api, opened = open_page
    use(api, some)
    app = opened("alerts")

    assert not app.exception
    assert "3 alerts fire, 1 not yet sure. 6 rules watch 14 series" in said(app)
    firing = cards(app, "Firing")
    assert [card["tone"] for card in firing] == ["bad", "", ""]
    first = firing[0]
    assert first["title"] == "9.4% of the requests fail, where 1.3% are usual at this hour."
    assert first["href"] == f"alerts?project=default&alert={FIRING_ID}"
    facts = {fact["label"]: fact["text"] for fact in first["facts"]}
    assert facts["Most of it"] == "model gpt-4o, prompt answer@v7"
    assert facts[""] == "Expect one such false alarm in 30 days."
    assert facts["Since"].endswith("for 6h 24m")
    assert [badge["text"] for badge in firing[2]["badges"]] == ["ticket", "acknowledged by Ada"]
    assert len(cards(app, "Not yet sure")) == 1
    assert HOSTILE in cards(app, "Cannot be judged")[0]["title"]


def test_one_alert_shows_chart_changes_evidence_and_who_was_told(open_page: Page) -> None:
    """Everything that belongs to it, from its address alone."""
    api, opened = open_page
    use(api, some)
    app = opened("alerts", alert=FIRING_ID)

    assert not app.exception
    [band] = drawn(app, "band")
    assert [mark["label"] for mark in band["marks"]] == ["began", "fired"]
    assert band["label"] == "Error rate"
    assert {"Why it fired", "What happened", "Notifications", "Where it comes from", "Examples"} <= {
        each["label"] for each in drawn(app, "table")
    }
    assert table(app, "Where it comes from")[0][0] == "model gpt-4o, prompt answer@v7"
    assert table(app, "How it adds up")[-1][-1] == "+8.10 pp"
    assert table(app, "New around then")[0][:3:2] == ["answer@v7", "11 min before"]
    assert table(app, "Failures that grew")[0][1:] == ["2", "97", "1.1"]
    assert [row[1] for row in table(app, "What happened")] == ["It looked wrong", "It fired"]
    assert f"{PROMISE[0].upper()}{PROMISE[1:]}: so often a rule like this fires though nothing changed." in said(app)
    assert "https://wiki.invalid/runbooks/errors, or ask in #support-bot" in lines(app)


def test_what_is_held_against_a_limit_says_so(open_page: Page) -> None:
    """A limit that someone has set is not what is usual."""
    api, opened = open_page
    use(api, some)
    app = opened("alerts", alert=SILENCED_ID)
    [heading] = [each for each in drawn(app, "facts") if each.get("level") == 1]
    facts = {fact["label"]: fact["text"] for fact in heading["facts"]}

    assert (facts["Now"], facts["Limit"], "Usual" in facts) == ("$41.20", "$25.00", False)


def test_missing_data_leads_to_the_pipeline(open_page: Page) -> None:
    """What did not arrive is in no trace: the page offers none."""
    api, opened = open_page
    use(api, some)
    opened("alerts")
    held = told(api).alerts
    changes = {"rule_type": "missing_data", "signal": "", "series": {"service": "checkout"}}
    held[:] = [each.model_copy(update=changes) if each.alert_id == SILENCED_ID else each for each in held]
    app = opened("alerts", alert=SILENCED_ID)

    keys = {button.key for button in app.button}
    assert ("alert-pipeline" in keys, "alert-traces" in keys) == (True, False)


def test_slices_and_examples_lead_to_their_traces(open_page: Page) -> None:
    """A slice to the list, filtered and over the time of the change; an example to its trace, a failure to its page."""
    api, opened = open_page
    use(api, some)
    app = opened("alerts", alert=FIRING_ID)
    hrefs = {each["label"]: [row["href"] for row in each["rows"]] for each in drawn(app, "table")}

    assert all("&name=answer_question" in href and "from=" in href for href in hrefs["Where it comes from"][1:])
    assert hrefs["Examples"][0].startswith("trace?project=default")
    assert hrefs["Examples"][0].endswith(f"&trace={'c' * 32}")
    assert hrefs["Failures that grew"] == ["failures?project=default&issue=1550e00000000001"]


def test_hostile_text_reaches_no_markdown(open_page: Page) -> None:
    """What people and models wrote is drawn by our components, never by Streamlit's."""
    api, opened = open_page
    use(api, some)

    for parameters in ({"alert": HOSTILE_ALERT_ID}, {"alert": FIRING_ID}, {}):
        app = opened("alerts", **parameters)
        assert not app.exception
        assert "window.pwned" not in said(app)


def test_an_alert_that_is_not_there(open_page: Page) -> None:
    """Says so, and what may be the reason."""
    api, opened = open_page
    use(api, some)
    app = opened("alerts", alert="0123456789abcdef")

    assert "Not found" in said(app)


def test_a_collector_that_fails_is_explained(open_page: Page) -> None:
    """The tabs stay; what went wrong stands instead of the list."""
    api, opened = open_page
    use(api, some)
    opened("alerts")
    api.failing = Problem(title="Not ready", status=503, detail="The database is away.")
    app = opened("alerts", tab="rules")

    assert "The database is away." in said(app)


def test_acknowledging_takes_the_alert(open_page: Page) -> None:
    """Name and note go to the collector; the button is gone, the badge is there."""
    api, opened = open_page
    use(api, some)
    app = opened("alerts", alert=FIRING_ID)
    app.text_input(key="acknowledge-by").set_value("  Grace ")
    _submit(app, "Acknowledge")

    assert not app.exception
    assert alert(api).acknowledged_by == "Grace"
    [heading] = [each for each in drawn(app, "facts") if each.get("level") == 1]
    assert "acknowledged by Grace" in [badge["text"] for badge in heading["badges"]]
    assert [button.label for button in app.button if button.label == "Acknowledge"] == []
    assert app.text_input(key="expected-by").value == "Grace"


def test_a_change_that_is_wanted_ends_the_alert(open_page: Page) -> None:
    """It is expected: nothing is left to do."""
    api, opened = open_page
    use(api, some)
    app = opened("alerts", alert=FIRING_ID)
    _submit(app, "It is expected")

    assert (alert(api).is_expected, alert(api).state) == (True, "resolved")
    assert [button.label for button in app.button if button.label == "Silence"] == []


def test_silencing_one_series(open_page: Page) -> None:
    """For four hours, this alert's series only, with the reason."""
    api, opened = open_page
    use(api, some)
    app = opened("alerts", alert=SILENCED_ID)
    app.text_input(key="silence-reason").set_value("load test")
    _submit(app, "Silence")

    made = told(api).silences[-1]
    assert (made.rule_id, made.series, made.reason) == ("spend-per-group", {"user_group": "free"}, "load test")
    assert made.ends_at - made.starts_at == timedelta(hours=4)


def _submit(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()


def test_history_is_paged_and_filtered_by_rule(open_page: Page) -> None:
    """Fifty to a page; a rule that is chosen lands in the address."""
    api, opened = open_page
    use(api, some)
    app = opened("alerts", tab="history", **{"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"})
    assert len(table(app, "Alerts")) == 50
    next(button for button in app.button if button.label == "Next").click().run()
    assert len(table(app, "Alerts")) == 24

    app.selectbox(key="history-rule").set_value("slow-calls").run()

    assert app.query_params["rule"] == "slow-calls"
    assert "cursor" not in app.query_params
    assert len(table(app, "Alerts")) == 19


def test_a_quiet_history_offers_a_wider_time(open_page: Page) -> None:
    """The next longer range."""
    api, opened = open_page
    use(api, little)
    app = opened("alerts", tab="history")
    assert "No alert in this time range" in said(app)

    app.button[-1].click().run()

    assert app.query_params["range"] == "7d"


def test_tabs_land_in_the_address(open_page: Page) -> None:
    """Choosing one shows it."""
    api, opened = open_page
    use(api, some)
    app = opened("alerts")
    app.segmented_control(key="alerts-tab").set_value("silences").run()

    assert app.query_params["tab"] == "silences"
    assert [row[1:2] + row[5:6] for row in table(app, "Silences")] == [["", "Ada"], ["", "Grace"], ["", ""]]


def test_a_silence_of_all_rules(open_page: Page) -> None:
    """From now, in the viewer's time, for what is chosen."""
    api, opened = open_page
    use(api, some)
    app = opened("alerts", tab="silences")
    app.selectbox(key="silence-new-for").set_value("1 day")
    _submit(app, "Silence")

    made = told(api).silences[-1]
    assert (made.rule_id, made.ends_at - made.starts_at) == ("", timedelta(days=1))
    assert abs(made.starts_at - api.data.now) < timedelta(hours=1)
    assert len(table(app, "Silences")) == 4


def test_channels_say_what_went_wrong(open_page: Page) -> None:
    """Where notifications go, the last error, what waits, and the newest of them."""
    api, opened = open_page
    use(api, some)
    app = opened("alerts", tab="channels")

    assert [row[4:] for row in table(app, "Channels")] == [
        ["none", "0", "Test"],
        ["404 no_service: the webhook was removed", "2", "Test"],
        ["none", "0", "Test"],
    ]
    assert len(table(app, "Notifications")) == 6


def test_without_channels_the_page_says_how_to_add_one(open_page: Page) -> None:
    """With lines for the file."""
    api, opened = open_page
    use(api, little)
    app = opened("alerts", tab="channels")

    assert "Nobody is told yet" in said(app)
    assert "[[channels]]" in said(app)


@pytest.mark.parametrize("tab", ["firing", "history", "rules", "silences", "channels"])
def test_every_tab_draws_with_little(open_page: Page, tab: str) -> None:
    """No error with next to nothing."""
    api, opened = open_page
    use(api, little)

    assert not opened("alerts", tab=tab).exception
