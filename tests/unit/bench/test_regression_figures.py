"""How the benchmark of regressions counts alarms and delays."""

from itertools import pairwise

import numpy as np
import pytest

from bench.regressions import __main__ as command
from bench.regressions.fixed_rules import BEGIN, RULES, Hourly, onsets
from bench.regressions.numeric import RULED_CASES, delays, per_week
from bench.regressions.series import WATCHES, judge, sums
from bench.regressions.streams import CASES, begins, injected, known, plan, steps
from bench.regressions.tables import generic, table
from bench.traffic import columns, draw


def _latency(factor: float) -> Hourly:
    """Six weeks with a p50 of 1 second, multiplied in the last one."""
    rng = np.random.default_rng(1)
    edges = np.exp((np.arange(200) + 0.5) * np.log(1.05))
    values = np.exp(rng.normal(np.log(1_000.0), 0.3, (42 * 24, 100)))
    values[35 * 24 :] *= factor
    bins = (np.log(values) / np.log(1.05)).astype(int)
    histogram = np.stack([np.bincount(row, minlength=200) for row in bins]).astype(float)
    return Hourly(np.full(42 * 24, 100.0), values.sum(1), histogram, edges, 1)


def test_a_delay_is_from_the_beginning_to_the_first_alarm_after_it() -> None:
    """Alarms before do not count, nor does one later than a week; fewer than half found have no median."""
    found = delays([[90.0, 110.0], [100.5], [500.0], []], [100.0] * 4)

    assert found == {"median_h": None, "found_in_7_days": 0.5}
    assert delays([[90.0, 110.0], [100.5], []], [100.0] * 3) == {"median_h": 10.0, "found_in_7_days": 0.667}


def test_false_alarms_are_per_series_and_week() -> None:
    """Three alarms of two series in two weeks each."""
    assert per_week([[700.0, 800.0], [900.0]]) == 0.75


@pytest.mark.parametrize("rule", [name for name, (_, _, only) in RULES.items() if not only or "latency" in only])
def test_each_fixed_rule_sees_a_latency_that_trebles(rule: str) -> None:
    """Every rule for latencies fires in the week of the change; daily ones at the end of a day."""
    changed = onsets(rule, _latency(3.0))

    assert any(35 * 24 < hour <= 36 * 24 for hour in changed)
    assert all(later - earlier >= 24 for earlier, later in pairwise(changed))
    assert all(hour > BEGIN for hour in changed)


def test_the_detector_is_judged_on_each_signal_of_a_stream() -> None:
    """Sums of every signal can be judged, and a plain regression is found by the signal that it is in."""
    stream = plan(7, 0, 2_000)
    draws, time, seen = draw(stream), steps(stream), known(stream)[None]
    start = begins(7, 0)
    for case in (case for case in CASES if case.name in ("latency +100 %", "errors x10", "score -0.05")):
        made = columns(draws, [injected(case, start)])
        hours = judge(case.signal, [sums(case.signal, made, stream.days, time)], time, seen).hours[0]

        assert any(start < hour < start + 72 for hour in hours), case.name


def test_every_case_is_judged_by_a_signal_that_is_watched() -> None:
    """And the cases of fixed rules are cases."""
    assert {case.signal for case in CASES} <= set(WATCHES)
    assert {case.name for case in CASES} >= RULED_CASES


def test_streams_have_each_nuisance_in_turn() -> None:
    """One in six has none in the weeks that are judged."""
    late = [{one.kind for one in plan(1, number, 200).nuisances if one.day >= 28} for number in range(6)]

    assert late == [set(), {"holiday"}, {"surge"}, {"trend"}, {"launch"}, {"gap"}]


def test_tables_are_markdown() -> None:
    """A head, a line, and rows; nested figures have a path."""
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"
    assert generic({"x": {"y": 0.5}, "n": 3}).splitlines()[2:] == ["| x, y | 0.5 |", "| n | 3 |"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [(["--only", "numbers"], "no part numbers"), (["--only", "text"], "text: give the folder")],
)
def test_the_command_says_what_it_needs(
    arguments: list[str], problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unknown parts and a missing folder are errors of use."""
    monkeypatch.setattr("sys.argv", ["regressions", *arguments])
    with pytest.raises(SystemExit):
        command.main()

    assert problem in capsys.readouterr().err
