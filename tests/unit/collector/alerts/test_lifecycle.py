"""The life of an alert: when it fires, ends, is told and is not."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.alerts.evaluate.base import Policy, Status
from spanwise_collector.alerts.lifecycle import Life, Muted, Step, advance, ended, expected
from spanwise_collector.alerts.state import Acknowledgement
from spanwise_schemas.rules import Severity

OK, HOLD, BREACH, NONE = Status.OK, Status.HOLD, Status.BREACH, Status.NO_DATA
LETTERS = {"o": OK, "h": HOLD, "B": BREACH, "-": NONE}
HOUR = 3600
SLOW = Policy(for_=2, keep_firing=3)
NEW = Life()
ACK = Acknowledgement("ann", datetime(2026, 3, 2, tzinfo=UTC), expected=False)


def run(
    verdicts: str,
    policy: Policy = SLOW,
    *,
    severity: Severity = "page",
    muted: str = "",
    acked_from: int = 1 << 40,
    life: Life = NEW,
) -> tuple[Life, list[Step]]:
    """Verdicts as letters, one an hour from hour 1 on; `muted` likewise: s silenced, h history."""
    steps: list[Step] = []
    for place, letter in enumerate(verdicts):
        at = (place + 1) * HOUR
        quiet: Muted = {"s": "silenced", "h": "history"}.get(muted[place : place + 1], "")  # type: ignore[assignment]
        said = ACK if place + 1 >= acked_from else None
        life, more = advance(life, LETTERS[letter], at, policy, severity, muted=quiet, acknowledged=said)
        steps.extend(more)
    return life, steps


def told(steps: list[Step]) -> list[str]:
    """What people were told and at which hour: `firing 2`."""
    return [f"{step.tells} {step.at // HOUR}" for step in steps if step.tells]


def course(steps: list[Step]) -> str:
    """States in order."""
    return " ".join(step.after for step in steps if step.is_event)


@pytest.mark.parametrize(
    ("verdicts", "states", "notices"),
    [
        ("BB", "pending firing", ["firing 2"]),
        ("BoBB", "pending inactive pending firing", ["firing 4"]),
        ("BhBB", "pending inactive pending firing", ["firing 4"]),
        ("BBooo", "pending firing recovering resolved", ["firing 2", "resolved 5"]),
        ("BBooBooo", "pending firing recovering firing recovering resolved", ["firing 2", "resolved 8"]),
        ("BBohooo", "pending firing recovering firing recovering resolved", ["firing 2", "resolved 7"]),
        ("BBhhhh", "pending firing", ["firing 2", "repeat 6"]),
    ],
)
def test_pending_firing_recovering(verdicts: str, states: str, notices: list[str]) -> None:
    """It fires after `for` breaches in a row, and ends after `keep_firing` well ticks in a row beyond the threshold."""
    _, steps = run(verdicts)

    assert (states, notices) == (course(steps), told(steps))


def test_an_evaluator_that_integrates_fires_at_once() -> None:
    """With for = 1 there is nothing pending, and with keep_firing = 1 nothing recovering."""
    _, steps = run("oBo", Policy())

    assert ("firing resolved", ["firing 2", "resolved 3"]) == (course(steps), told(steps))


@pytest.mark.parametrize(
    ("severity", "notices"),
    [
        ("page", ["firing 1", "repeat 5", "repeat 9", "repeat 13", "repeat 17", "repeat 21", "repeat 25"]),
        ("ticket", ["firing 1", "repeat 25"]),
        ("info", ["firing 1"]),
    ],
)
def test_repeats(severity: Severity, notices: list[str]) -> None:
    """A page is repeated every 4 hours, a ticket every 24, an information never; each repeat has its number."""
    _, steps = run("B" * 26, Policy(), severity=severity)

    assert notices == told(steps)
    assert list(range(1, len(notices))) == [step.repeat for step in steps if step.repeat]


def test_acknowledged_alerts_are_not_repeated() -> None:
    """Once a person has it, they are left alone; the end is told."""
    _, steps = run("BBBBBBBBBBo", Policy(), acked_from=6)

    assert ["firing 1", "repeat 5", "resolved 11"] == told(steps)


def test_silences() -> None:
    """While silenced the alert moves but nobody is told; what still fires when the silence ends is told then, once."""
    _, short = run("BBBo", Policy(), muted="sss")
    _, long = run("BBBBo", Policy(), muted="ss")

    assert ("firing resolved", []) == (course(short), told(short))
    assert ("firing firing resolved", ["firing 3", "resolved 5"]) == (course(long), told(long))
    assert ["silenced", "still firing", ""] == [step.note for step in long]


def test_history() -> None:
    """What is found in history and is over is told to nobody; what still fires is told once."""
    _, over = run("BBooo", muted="hhhhh")
    _, still = run("BBBB", muted="hhh")

    assert ([], ["firing 4"]) == (told(over), told(still))
    assert ["", "found in history", "still firing"] == [step.note for step in still]


def test_an_end_that_comes_in_a_silence_is_told() -> None:
    """Who was told that it fires is told that it is over, silenced or not."""
    _, steps = run("BBo", Policy(), muted="  s")

    assert ["firing 1", "resolved 3"] == told(steps)


@pytest.mark.parametrize(
    ("verdicts", "states", "notices"),
    [
        ("B-B", "firing", ["firing 1"]),
        ("B--B", "firing no_data firing", ["firing 1", "no_data 3"]),
        ("B--o", "firing no_data firing resolved", ["firing 1", "no_data 3", "resolved 4"]),
        ("B--B--B", "firing no_data firing no_data firing", ["firing 1", "no_data 3"]),
        ("B-----", "firing no_data resolved", ["firing 1", "no_data 3", "resolved 6"]),
        ("o---", "", []),
    ],
)
def test_data_that_ends_under_an_alert(verdicts: str, states: str, notices: list[str]) -> None:
    """By default the state is kept; after two windows people are told once, and after long the alert ends."""
    _, steps = run(verdicts, Policy(patience=2, give_up=5), severity="ticket")

    assert (states, notices) == (course(steps), told(steps))


def test_missing_data_as_an_alert_and_as_well() -> None:
    """A rule may call missing data an alert of its own, or well."""
    _, alert = run("o---o", Policy(no_data="alert", patience=2))
    _, fine = run("B-", Policy(no_data="ok", patience=2))

    assert ("no_data resolved", ["no_data 3", "resolved 5"]) == (course(alert), told(alert))
    assert ("firing resolved", ["firing 1", "resolved 2"]) == (course(fine), told(fine))


def test_expected_ends_it_and_waits_until_it_was_well() -> None:
    """Of a change that a person wants the same breach does not begin another alert, a later one does."""
    life, _ = run("B", Policy())
    life, steps = expected(life, HOUR + 60, "ann")
    life, more = run("BBBo", Policy(), life=replace(life, at=0))
    _, later = advance(life, BREACH, 9 * HOUR, Policy(), "page")

    assert [("resolved", "resolved", "ann")] == [(step.after, step.tells, step.by) for step in steps]
    assert [] == more
    assert ["firing"] == [step.after for step in later]


def test_a_rule_that_goes_takes_its_alerts_along() -> None:
    """What fires is resolved, what was pending is dropped, what is closed stays."""
    firing, pending = run("BB")[0], run("B")[0]

    assert ["resolved"] == [step.tells for step in ended(firing, 9 * HOUR, "gone")[1]]
    assert [("inactive", "")] == [(step.after, step.tells) for step in ended(pending, 9 * HOUR, "gone")[1]]
    assert [] == ended(Life(), 9 * HOUR, "gone")[1]


verdicts = st.text("ohB-", max_size=60)
mutes = st.text(" sh", max_size=60)
policies = st.builds(
    Policy,
    for_=st.integers(1, 3),
    keep_firing=st.integers(1, 3),
    no_data=st.sampled_from(["keep", "alert", "ok"]),
    patience=st.integers(1, 3),
    give_up=st.integers(3, 6),
)


@given(verdicts, mutes, policies)
def test_each_alert_is_told_once(letters: str, muted: str, policy: Policy) -> None:
    """Of one alert people hear once at most that it fires and that it is over, the latter only after the former."""
    _, steps = run(letters, policy, muted=muted)
    by_alert: dict[int, list[Step]] = {}
    for step in steps:
        by_alert.setdefault(step.started, []).append(step)

    for one in by_alert.values():
        kinds = [step.tells for step in one if step.tells]
        assert kinds.count("firing") <= 1
        assert kinds.count("resolved") <= 1
        if "resolved" in kinds:
            assert kinds.index("resolved") == len(kinds) - 1
            assert kinds[0] in ("firing", "no_data")
        assert list(range(1, len([step for step in one if step.is_event]) + 1)) == [
            step.seq for step in one if step.is_event
        ]


@given(verdicts, mutes, policies, st.integers(0, 60))
def test_a_restart_changes_nothing(letters: str, muted: str, policy: Policy, stop: int) -> None:
    """Stopping anywhere, storing, and going on, also over ticks that were taken before, gives the same steps."""
    whole = run(letters, policy, muted=muted)
    life, steps = run(letters[:stop], policy, muted=muted)
    stored = Life.of_record(life.record())
    again, more = run(letters, policy, muted=muted, life=stored)

    assert whole == (again, steps + more)


@given(verdicts, policies)
def test_steps_follow_each_other(letters: str, policy: Policy) -> None:
    """Each step begins in the state in which the one before it ended, and times do not go back."""
    _, steps = run(letters, policy)
    events = [step for step in steps if step.is_event]

    for before, after in pairwise(events):
        assert after.before == before.after or (before.after in ("inactive", "resolved") and after.before == "inactive")
        assert before.at <= after.at
