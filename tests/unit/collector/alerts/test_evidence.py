"""What goes with an alert: windows to compare, filters for its traces, the words of its notifications."""

from datetime import timedelta

import pytest

from spanwise_collector.alerts.evidence import filters_of, notice_of, windows_of
from spanwise_collector.alerts.state import EventBody
from spanwise_schemas.api_alerts import Alert
from spanwise_schemas.rules import Where
from tests.unit.collector.alerts.world import DAY, DAY0, HOUR, rule

ALERT = Alert(
    alert_id="00000000000000ff",
    project="default",
    rule_id="r",
    rule_name="Errors",
    rule_type="anomaly",
    severity="page",
    signal="error_rate",
    unit="ratio",
    series={"route": "checkout"},
    state="firing",
    since=DAY0,
    began=DAY0 - 2 * HOUR,
    sentence="Error rate of route checkout is 8 % where 2 % is usual, since 22:00 UTC.",
    effect_low=0.04,
    effect_high=0.08,
    promise="expect one such false alarm in 30 days",
    top_cause="model m-2",
)
RULE = rule(
    id="r", type="anomaly", signal="error_rate", channels=["ops"], runbook="https://x.example/r", labels={"team": "a"}
)


def url(alert: Alert) -> str:
    """Address of an alert."""
    return f"/a/{alert.alert_id}"


def test_windows() -> None:
    """The time since it began, an hour at least, beside the week before."""
    began = DAY0 - 2 * HOUR

    assert (began - 7 * DAY, began, began, DAY0) == windows_of(ALERT, DAY0)
    short = ALERT.model_copy(update={"began": DAY0 - timedelta(minutes=5)})
    assert (DAY0 - HOUR, DAY0) == windows_of(short, DAY0)[2:]


def test_filters() -> None:
    """The rule's filter and the series, and failed traces only where it is about failures; the rest is no value."""
    where = Where(environment=("prod", "stage"), model=("m-1",))

    assert {
        "environment": ["prod", "stage"],
        "model": ["m-1"],
        "route": ["checkout"],
        "status": ["error"],
    } == filters_of(ALERT, where)
    rest = ALERT.model_copy(update={"series": {"route": "(rest)"}, "signal": "latency"})
    assert {} == filters_of(rest, Where())


@pytest.mark.parametrize(
    ("kind", "head", "words"),
    [
        ("firing", "Firing: Errors (route checkout)", "What moved it most: model m-2."),
        ("repeat", "Still firing: Errors (route checkout)", "Expect one such false alarm in 30 days."),
        ("resolved", "Resolved: Errors (route checkout)", "It was: Error rate of route checkout is 8 %"),
        ("no_data", "No data: Errors (route checkout)", "There is no data any more."),
    ],
)
def test_notices(kind: str, head: str, words: str) -> None:
    """The first line says what happened, the text what to know; the key names alert, event and repeat."""
    repeat = 3 if kind == "repeat" else 0
    notice = notice_of(RULE, ("ops",), EventBody(alert=ALERT, tells=kind), 2, int(DAY0.timestamp()), url, repeat=repeat)

    assert notice is not None
    assert (head, kind, DAY0) == (notice.title, notice.kind, notice.at)
    assert words in notice.text
    assert f"00000000000000ff:2:{kind}{':3' if repeat else ''}" == notice.key
    assert (("ops",), "https://x.example/r", (("team", "a"),), "/a/00000000000000ff") == (
        *(notice.channels, notice.runbook, notice.labels, notice.url),
    )


def test_events_that_are_told_to_nobody() -> None:
    """What is pending or was found in history has no notification."""
    assert notice_of(RULE, (), EventBody(alert=ALERT), 1, 0, url) is None


def test_the_interval_is_said_once() -> None:
    """Where the evidence has the interval, the text does not repeat it."""
    with_it = EventBody(alert=ALERT, tells="firing", evidence={"Difference (95 %)": "+4 points to +8 points"})
    texts = [
        notice.text
        for body in (with_it, EventBody(alert=ALERT, tells="firing"))
        if (notice := notice_of(RULE, (), body, 2, 0, url)) is not None
    ]

    assert [1, 1] == [text.count("+4 points to +8 points") for text in texts]
