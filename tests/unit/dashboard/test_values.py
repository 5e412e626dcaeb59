"""Values of signals read as their unit does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_dashboard.format import UNKNOWN, Change
from spanwise_dashboard.values import AnyUnit, difference, interval, moved, title, value, worse

NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)
UNITS = st.sampled_from(["ratio", "ms", "tokens", "bytes", "nanousd", "count", "score", ""])


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (0.0423, "ratio", "4.23%"),
        (1740.0, "ms", "1.74 s"),
        (12_345.0, "tokens", "12.3k"),
        (0.25, "count", "0.25"),
        (4200.0, "bytes", "4.2 kB"),
        (41.2e9, "nanousd", "$41.20"),
        (0.8612, "score", "0.861"),
        (None, "ratio", UNKNOWN),
    ],
)
def test_values(number: float | None, unit: AnyUnit, text: str) -> None:
    """Each unit in its own words; what is unknown is a dash."""
    assert value(number, unit) == text


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (0.081, "ratio", "+8.10 pp"),
        (-0.13, "ratio", "-13.0 pp"),
        (0.00001, "ratio", "0 pp"),
        (-120.0, "ms", "-120 ms"),
        (0.0, "ms", "0 ms"),
        (-0.05, "score", "-0.05"),
        (None, "ms", UNKNOWN),
    ],
)
def test_differences(number: float | None, unit: AnyUnit, text: str) -> None:
    """With a sign, shares in percentage points."""
    assert difference(number, unit) == text


def test_intervals() -> None:
    """Both ends with the unit said once where it is a word apart; nothing where one end is not known."""
    assert interval(0.041, 0.066, "ratio") == "+4.10 to +6.60 pp"
    assert interval(-120.0, 40.0, "ms") == "-120 ms to +40 ms"
    assert interval(None, 0.1, "ratio") == ""


@given(NUMBERS, UNITS)
def test_a_difference_has_the_sign_of_its_number(number: float, unit: AnyUnit) -> None:
    """Whatever the unit."""
    text = difference(number, unit)

    assert text.startswith("-") <= (number < 0)
    assert text.startswith("+") <= (number > 0)


@pytest.mark.parametrize(
    ("signal", "after", "before", "unit", "change"),
    [
        ("error_rate", 0.094, 0.013, "ratio", Change("+8.10 pp", "bad")),
        ("cache_hit_rate", 0.2, 0.5, "ratio", Change("-30.00 pp", "bad")),
        ("latency", 900.0, 1000.0, "ms", Change("-10.0%", "good")),
        ("requests", 2000.0, 1000.0, "count", Change("+100%", "neutral")),
        ("score:helpful", 0.7, 0.8, "score", Change("-12.5%", "bad")),
        ("of a newer collector", 2.0, 1.0, "count", Change("+100%", "neutral")),
    ],
)
def test_good_and_bad_news(signal: str, after: float, before: float, unit: AnyUnit, change: Change) -> None:
    """The signal says which way is worse; what is not known here is neither."""
    assert moved(after, before, unit, worse(signal)) == change


def test_titles() -> None:
    """Signals have names for people; one that is not known keeps its own."""
    assert [title(name) for name in ("ttft", "failure:tool_error", "x")] == ["Time to first token", "Tool error", "x"]
