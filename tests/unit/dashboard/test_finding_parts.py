"""What bands, pairs, cards and the tables of changes are given to draw."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from spanwise_dashboard.components import band as bands
from spanwise_dashboard.components import pairs
from spanwise_dashboard.format import minute
from spanwise_dashboard.views.alert_open import event_words, marks
from spanwise_dashboard.views.alerts_channels import outcome as tried
from spanwise_dashboard.views.alerts_silences import state_of
from spanwise_dashboard.views.alerts_words import badges, lasted, sentence_case, series_words, tone_of
from spanwise_dashboard.views.behind import unfiltered
from spanwise_dashboard.views.drift import headline, promise
from spanwise_dashboard.views.drift_finding import change_words, evidence
from spanwise_dashboard.views.rule_preview import summary
from spanwise_dashboard.views.what_changed_rows import beside, outcome, value_rows
from spanwise_schemas.api_alerts import Alert, AlertEvent, BackTest, Band, ChannelTest, Firing, Silence
from spanwise_schemas.api_drift import DriftReport, Finding
from tests.support.dashboard_changes import what_changed
from tests.support.dashboard_data import empty

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def alert(**values: object) -> Alert:
    """An alert of a rule that pages, firing for two hours."""
    parts: dict[str, object] = {
        "alert_id": "f" * 16,
        "project": "default",
        "rule_id": "r",
        "rule_name": "R",
        "rule_type": "anomaly",
        "severity": "page",
        "state": "firing",
        "since": NOW - HOUR,
        "began": NOW - 2 * HOUR,
        "fired_at": NOW - HOUR,
        "sentence": "s",
    }
    return Alert.model_validate({**parts, **values})


def test_a_band_is_drawn_in_dollars_and_milliseconds() -> None:
    """Nano-dollars become dollars, times milliseconds, lists that are short are filled up with nothing."""
    times = [NOW, NOW + HOUR]
    band = Band(times=times, step_seconds=3600, values=[2e9, None], low=[1e9, 1e9], high=[3e9], threshold=5e9)

    drawn = bands.payload("Spend", band, "nanousd", [bands.Mark(NOW, "began")], [(NOW, NOW + HOUR)], "fires")

    start = int(NOW.timestamp() * 1000)
    assert drawn | {"title": ""} == {
        "title": "",
        "label": "Spend",
        "unit": "usd",
        "times": [start, start + 3_600_000],
        "step": 3_600_000,
        "window": [start, start + 7_200_000],
        "values": [2.0, None],
        "expected": [None, None],
        "low": [1.0, 1.0],
        "high": [3.0, None],
        "threshold": 5.0,
        "marks": [{"time": start, "label": "began", "tone": ""}],
        "spans": [[start, start + 3_600_000]],
        "spanLabel": "fires",
    }


def test_pairs_say_the_difference_with_its_interval() -> None:
    """In percentage points."""
    drawn = pairs.payload("x", [pairs.Pair("gpt-4o", 0.38, 0.25, -0.15, -0.11)], "before", "after")
    [row] = json.loads(json.dumps(drawn))["rows"]

    assert (row["beforeText"], row["afterText"]) == ("38.0%", "25.0%")
    assert (row["difference"], row["interval"]) == ("-13.0 pp", "-15.0 to -11.0 pp")


def test_contributions_add_up() -> None:
    """The last line is the sum of all others, which is the difference."""
    answer = what_changed(empty(NOW), NOW - HOUR)

    for found in answer.dimensions:
        lines = value_rows(answer, found)
        assert [cell.text for cell in lines[-1].cells][-3:] == [
            f"{found.mix * 100:+.2f} pp",
            f"{found.rate * 100:+.2f} pp",
            "+8.10 pp",
        ]
        assert sum(one.mix for one in found.values) == pytest.approx(found.mix)
        assert sum(one.rate for one in found.values) == pytest.approx(found.rate)
    assert [(fact.label, fact.text) for fact in outcome(answer)] == [
        ("Before", "1.30%"),
        ("After", "9.40%"),
        ("Difference", "+8.10 pp"),
        ("95 % interval", "+6.10 to +10.2 pp"),
        ("Counted", "2,140 → 1,204"),
    ]


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-11, "11 min before"), (0.5, "same time"), (150, "2 h after"), (-4 * 1440, "4 d before")],
)
def test_how_near_a_version_is_to_the_change(minutes: float, words: str) -> None:
    """In the largest unit that fits."""
    assert beside(NOW + timedelta(minutes=minutes), NOW) == words


def test_series_for_people() -> None:
    """Dimensions in words; what is beyond the busiest is all others."""
    assert series_words({"model": "gpt-4o", "route": "(rest)", "user_group": ""}) == (
        "model gpt-4o, request all others, user group (none)"
    )
    assert series_words({}) == ""


def test_badges_say_what_people_did() -> None:
    """Severity first; then state, acknowledgement, silence."""
    found = alert(state="recovering", acknowledged_by="Ada", acknowledged_at=NOW, silenced_until=NOW + HOUR)

    assert [badge.text for badge in badges(found, UTC, NOW)] == [
        "page",
        "recovering",
        "acknowledged by Ada",
        "silenced until 13:00",
    ]
    assert [badge.text for badge in badges(alert(is_expected=True, acknowledged_at=NOW), UTC, NOW)] == [
        "page",
        "expected",
    ]


@pytest.mark.parametrize(
    ("values", "tone"),
    [
        ({}, "bad"),
        ({"severity": "ticket"}, "warn"),
        ({"severity": "info"}, "info"),
        ({"state": "pending"}, ""),
        ({"acknowledged_at": NOW}, ""),
        ({"silenced_until": NOW + HOUR}, ""),
        ({"silenced_until": NOW - HOUR}, "bad"),
    ],
)
def test_how_loud_an_alert_is(values: dict[str, object], tone: str) -> None:
    """Its severity, until someone has taken it; an old silence is none."""
    assert tone_of(alert(**values), NOW) == tone


def test_marks_of_a_chart() -> None:
    """Began, fired and ended, as far as they are known."""
    assert [mark.label for mark in marks(alert(fired_at=None))] == ["began"]
    assert [mark.label for mark in marks(alert(ended_at=NOW))] == ["began", "fired", "ended"]


def test_events_in_words() -> None:
    """Each state has words; a state that goes on was someone's doing."""

    def words(from_state: str, to_state: str, by: str = "") -> str:
        return event_words(AlertEvent(time=NOW, from_state=from_state, to_state=to_state, by=by))

    assert words("pending", "firing") == "It fired"
    assert words("firing", "firing", "Ada") == "Someone took it"
    assert words("no_data", "no_data") == "Still no data"
    assert words("firing", "of_a_newer_collector") == "of a newer collector"


def test_times_to_the_minute() -> None:
    """In the viewer's zone, with the date unless it is today."""
    zone = timezone(HOUR)

    assert minute(NOW, zone, NOW) == "13:00"
    assert minute(NOW - 24 * HOUR, zone, NOW) == "23 Nov 13:00"
    assert lasted(NOW - timedelta(minutes=150), NOW) == "2h 30m"


def test_silences_hold_come_and_end() -> None:
    """By the clock; one that ends now is over."""

    def words(start: int, end: int) -> str:
        return state_of(Silence(starts_at=NOW + start * HOUR, ends_at=NOW + end * HOUR), NOW).text

    assert [words(-1, 1), words(1, 2), words(-2, 0)] == ["holds", "to come", "over"]


def test_outcome_of_a_channel_test() -> None:
    """With the reason where it failed."""
    assert tried(ChannelTest(channel="team", delivered=True)) == "The test reached team."
    assert tried(ChannelTest(channel="team", delivered=False, detail="404")) == "The test did not reach team: 404."


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0.05, "Of 20 findings like these at most 1 is false, on average."),
        (0.1, "Of 10 findings like these at most 1 is false, on average."),
        (0.001, "Of 100 findings like these fewer than one is false, on average."),
        (0.0, ""),
    ],
)
def test_false_discoveries_in_plain_words(rate: float, words: str) -> None:
    """The smallest round number of findings of which one is false."""
    assert promise(rate) == words


def report(**values: object) -> DriftReport:
    """A digest without findings."""
    parts: dict[str, object] = {"project": "p", "day": NOW.date(), "start": NOW, "end": NOW, "findings": []}
    return DriftReport.model_validate({"tested": 0, **parts, **values})


def finding(**values: object) -> Finding:
    """A rate that rose."""
    parts: dict[str, object] = {"finding_id": "f", "signal": "error_rate", "title": "t", "form": "rate"}
    return Finding.model_validate({"direction": "up", "sentence": "s", "unit": "ratio", **parts, **values})


def test_a_day_in_one_sentence() -> None:
    """How many differ, of how many."""
    assert headline(report()) == "Nothing was compared on this day: there was too little data."
    assert headline(report(tested=12)) == "All 12 series were as usual."
    assert headline(report(tested=12, findings=[finding()])) == "1 of 12 series is different from the days before."


def test_evidence_in_plain_words() -> None:
    """Odds for e-values, a share of days for texts."""
    assert evidence(finding(e_value=48_000.0))[0] == "48,000 to 1"
    assert evidence(finding(e_value=2e9))[0] == "over a million to 1"
    assert evidence(finding(p_value=0.004))[0] == "as different on 0.40% of usual days"


def test_changes_with_their_interval() -> None:
    """Relative ones in percent, others in the unit; without an interval the change alone."""
    assert change_words(finding(change=0.053, change_low=0.041, change_high=0.066))[0] == "+5.30 pp (+4.10 to +6.60 pp)"
    relative = finding(change=0.33, change_low=0.27, change_high=0.39, relative=True, unit="ms")
    assert change_words(relative)[0] == "+33% (+27% to +39%)"
    assert change_words(finding(change=-0.05, unit="score"))[0] == "-0.05"


def test_what_a_preview_says() -> None:
    """How often and how long it would have fired, on how much."""
    start = NOW - timedelta(days=14)
    quiet = BackTest(rule_id="r", start=start, end=NOW, series=3, evaluations=1008, firings=[])
    once = quiet.model_copy(update={"firings": [Firing(fired_at=start)], "firing_hours": 6.0})

    assert summary(quiet) == "It would not have fired in the last 14 days: 1,008 evaluations of 3 series."
    assert summary(once) == (
        "It would have fired once in the last 14 days, for 6 h in all: 1,008 evaluations of 3 series."
    )


def test_what_the_list_of_traces_cannot_be_filtered_by() -> None:
    """Routes are names there; user groups are unknown to it."""
    filters = {"route": ["ask"], "model": ["m"], "status": ["error"], "user": ["u"], "language": ["de"]}

    assert unfiltered(filters) == ["language"]


def test_sentences_begin_with_a_capital() -> None:
    """The rest stays as it is."""
    assert sentence_case("expect one in 30 Days") == "Expect one in 30 Days"
