"""Figures of packages on simulated traffic: what an alarm, a false alarm and a delay are."""

import numpy as np

from bench.regressions.numeric_peers import Stream, delay, figures, onsets
from bench.regressions.tables import peers_tables

LATE = 168.0


def test_alarms_within_a_day_of_the_first_are_the_same() -> None:
    """An alarm that goes on begins anew after each day, whatever the order in which hours are given."""
    assert onsets([700.0, 690.0, 713.0, 714.0, 800.0]) == [690.0, 714.0, 800.0]
    assert onsets([]) == []


def test_a_delay_runs_to_the_first_alarm_that_begins_after_the_start() -> None:
    """Alarms of the changed stream before the start are those of the quiet one, and hide new ones for their day."""
    assert delay([], [705.5], 700.0) == 5.5
    assert delay([690.0], [705.0, 714.0], 700.0) == 14.0
    assert delay([705.0], [720.0], 700.0) == 20.0
    assert delay([], [650.0, 699.0], 700.0) == np.inf


def test_an_alarm_after_a_week_did_not_find_the_regression() -> None:
    """The last hour that counts is the 168th."""
    assert delay([], [700.0 + LATE], 700.0) == LATE
    assert delay([], [700.5 + LATE], 700.0) == np.inf


def test_figures_are_by_signal_and_by_case() -> None:
    """False alarms are those of streams with nothing injected in two weeks each; medians need half to be found."""
    streams = [Stream(2_000, number, "latency", 700.0) for number in range(3)]
    streams.append(Stream(2_000, 0, "error_rate", 700.0))
    alarms = {
        "2000-0-latency": {"nothing": [680.0, 690.0, 760.0], "latency +30 %": [710.0], "latency x4 in 5 %": []},
        "2000-1-latency": {"nothing": [], "latency +30 %": [704.0], "latency x4 in 5 %": []},
        "2000-2-latency": {"nothing": [], "latency +30 %": [], "latency x4 in 5 %": [701.0]},
        "2000-0-error_rate": {"nothing": [], "errors x4": [701.0]},
    }
    assert figures(streams, alarms) == {
        "per_series_week": {"latency": 0.333, "error_rate": 0.0},
        "cases": {
            "errors x4": {"median_h": 1.0, "found_in_7_days": 1.0},
            "latency +30 %": {"median_h": 10.0, "found_in_7_days": 0.667},
            "latency x4 in 5 %": {"median_h": None, "found_in_7_days": 0.333},
        },
    }


def test_a_package_that_could_not_be_run_is_named_with_its_error() -> None:
    """Its figures are missing from the table of the volume, and the reason stands above it."""
    cases = {"errors x4": {"median_h": 1.0, "found_in_7_days": 1.0}}
    ours = {"streams": 1, "per_series_week": {"latency": 0.0, "error_rate": 0.1}, "cases": cases}
    rule = {"per_series_week": {"latency": 7.0, "error_rate": 0.5}, "cases": cases}
    found = {
        "packages": {"one": {"error": "could not be run: no wheel"}, "two": {"version": "1.0", "seconds": 3.0}},
        "volumes": {"2000": {**ours, "packages": {"two, hourly": rule}}},
    }
    assert peers_tables(found).splitlines() == [
        "| package | version |",
        "| --- | --- |",
        "| one | could not be run: no wheel |",
        "| two | 1.0 |",
        "",
        "| 2,000 a day, streams: 1 | false alarms a week, latency | false alarms a week, error_rate | errors x4 |",
        "| --- | --- | --- | --- |",
        "| Spanwise | 0 | 0.1 | 1 h (100 %) |",
        "| two, hourly | 7 | 0.5 | 1 h (100 %) |",
    ]
