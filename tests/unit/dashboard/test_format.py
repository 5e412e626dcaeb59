"""Numbers as people read them."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_dashboard import format as f


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (None, "—"),
        (0, "$0"),
        (1, "$0.000000001"),
        (2_700, "$0.0000027"),
        (123_456, "$0.00012"),
        (9_999_999, "$0.0100"),
        (42_100_000, "$0.0421"),
        (999_000_000, "$1.00"),
        (12_340_000_000, "$12.34"),
        (1_234_560_000_000, "$1,235"),
        (1_234_567_000_000_000, "$1.23M"),
        (-42_100_000, "-$0.0421"),
    ],
)
def test_money(nanos: int | None, text: str) -> None:
    """Amounts have as many digits as they deserve, and unknown is a dash."""
    assert f.money(nanos) == text


def test_money_in_brief() -> None:
    """Narrow places bound what is tiny instead of spelling it out."""
    assert [f.money_in_brief(nanos) for nanos in (None, 0, 99_999, 100_000)] == ["—", "$0", "<$0.0001", "$0.00010"]


@given(st.integers(min_value=1, max_value=10**18))
def test_money_is_right_within_a_twentieth_and_never_zero(nanos: int) -> None:
    """What is shown is never zero for what is not, and never off by more than its last digit."""
    shown = f.money(nanos)
    digits = shown.strip("$M").replace(",", "")
    dollars = float(digits) * (1e6 if shown.endswith("M") else 1)

    assert dollars > 0
    assert dollars == pytest.approx(nanos / 1e9, rel=0.05)


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "—"),
        (0, "0 ms"),
        (0.004, "0.01 ms"),
        (0.42, "0.4 ms"),
        (9.96, "10 ms"),
        (420, "420 ms"),
        (999.6, "1.00 s"),
        (1350, "1.35 s"),
        (59_949, "59.9 s"),
        (59_950, "1m 00s"),
        (125_000, "2m 05s"),
        (11_400_000, "3h 10m"),
        (187_200_000, "2d 4h"),
        (-1350, "-1.35 s"),
    ],
)
def test_duration(ms: float | None, text: str) -> None:
    """Durations are read in the unit that fits."""
    assert f.duration(ms) == text


@given(st.floats(min_value=1e-6, max_value=1e11))
def test_duration_of_something_is_not_nothing(ms: float) -> None:
    """A duration above zero never reads as zero."""
    assert re.search(r"[1-9]", f.duration(ms))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "—"), (0, "0"), (9_999, "9,999"), (10_000, "10.0k"), (12_345, "12.3k"), (999_499, "999k"),
        (999_500, "1.00M"), (4_570_000, "4.57M"), (1_200_000_000, "1.20B"), (-12_345, "-12.3k"),
    ],
)  # fmt: skip
def test_compact(number: int | None, text: str) -> None:
    """Large counts are short."""
    assert f.compact(number) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "—"),
        (0, "0%"),
        (1, "100%"),
        (0.00001, "<0.01%"),
        (0.0042, "0.42%"),
        (0.123, "12.3%"),
        (0.99996, "100.0%"),
    ],
)
def test_percent(share: float | None, text: str) -> None:
    """Shares keep what matters of small numbers."""
    assert f.percent(share) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [(None, "—"), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (102_000, "102 kB"), (13_600_000, "13.6 MB")],
)
def test_size(octets: int | None, text: str) -> None:
    """Sizes are in units of 1,000."""
    assert f.size(octets) == text


@pytest.mark.parametrize(
    ("current", "previous", "better", "expected"),
    [
        (110, 100, "down", f.Change("+10.0%", "bad")),
        (90, 100, "down", f.Change("-10.0%", "good")),
        (110, 100, "up", f.Change("+10.0%", "good")),
        (110, 100, "neither", f.Change("+10.0%", "neutral")),
        (300, 100, "neither", f.Change("+200%", "neutral")),
        (20_000, 100, "down", f.Change("x200", "bad")),
        (100, 100, "down", f.Change("0%", "neutral")),
        (5, 0, "down", f.Change("new", "bad")),
        (0, 0, "down", f.NO_CHANGE),
        (None, 5, "down", f.NO_CHANGE),
        (5, None, "down", f.NO_CHANGE),
    ],
)
def test_change(current: float | None, previous: float | None, better: f.Better, expected: f.Change) -> None:
    """A change says how much, and whether that is good news; without both numbers it says nothing."""
    assert f.change(current, previous, better) == expected


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_up_and_down_are_opposites(current: float, previous: float) -> None:
    """What is good when more is better is bad when less is better."""
    opposite = {"good": "bad", "bad": "good", "neutral": "neutral"}

    assert f.change(current, previous, "down").tone == opposite[f.change(current, previous, "up").tone]


def test_points() -> None:
    """Shares are compared in percentage points."""
    assert [f.points(0.031, 0.02, "down"), f.points(0.02, 0.02, "down"), f.points(0.0, 0.0), f.points(None, 0.1)] == [
        f.Change("+1.10 pp", "bad"),
        f.Change("0 pp", "neutral"),
        f.NO_CHANGE,
        f.NO_CHANGE,
    ]


def test_clock_leaves_out_today() -> None:
    """Times are the viewer's, and have a date only where it is not today."""
    zone = ZoneInfo("Europe/Berlin")
    now = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
    ages = (timedelta(minutes=5), timedelta(days=1), timedelta(days=400))

    assert [f.clock(now - age, zone, now) for age in ages] == ["11:55:00", "21 Nov 12:00:00", "2025-10-18 13:00:00"]


def test_timestamp_has_zone_and_milliseconds() -> None:
    """A full time can be compared with a log."""
    moment = datetime(2026, 11, 22, 11, 0, 0, 123_456, tzinfo=UTC)

    assert f.timestamp(moment, ZoneInfo("Europe/Berlin")) == "2026-11-22 12:00:00.123 CET"


def test_ago() -> None:
    """Ages are in the largest unit that fits; never is a dash."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    seconds = (0, 12, 600, 10_800, 259_200)

    assert [f.ago(now - timedelta(seconds=each), now) for each in seconds] + [f.ago(None, now)] == [
        "now",
        "12 s ago",
        "10 min ago",
        "3 h ago",
        "3 d ago",
        "—",
    ]
