"""The numbers at the top of the overview, and when they are compared."""

from datetime import UTC, datetime

import pytest

from spanwise_dashboard.format import Change
from spanwise_dashboard.views.overview import figures, not_compared
from spanwise_dashboard.views.overview_groups import comparable
from spanwise_schemas.api import Overview, Totals, Usage

WHEN = datetime(2026, 11, 20, tzinfo=UTC)


def overview(now: int, before: int) -> Overview:
    """Windows with so many requests, one in ten of them failed now and one in five before."""
    return Overview(
        start=WHEN,
        end=WHEN,
        current=totals(now, now // 10, 200.0),
        previous=totals(before, before // 5, 100.0),
        by_model=[],
        by_name=[],
    )


def totals(requests: int, errors: int, p95: float) -> Totals:
    """Totals of a window with a dollar for each thousand requests."""
    return Totals(
        requests=requests,
        errors=errors,
        llm_calls=requests,
        usage=Usage(input=requests, output=requests),
        cost_nanousd=requests * 1_000_000,
        users=requests,
        latency_ms_p95=p95,
    )


def changes(found: Overview) -> dict[str, Change]:
    """The change beside each figure."""
    return {figure.label: figure.change for figure in figures(found)}


def test_figures_are_compared_with_the_window_before() -> None:
    """Every figure has its change, coloured by whether it is good news."""
    assert changes(overview(1000, 500)) == {
        "Requests": Change("+100%", "neutral"),
        "Error rate": Change("-10.00 pp", "good"),
        "p50 latency": Change("", "neutral"),
        "p95 latency": Change("+100%", "bad"),
        "p99 latency": Change("", "neutral"),
        "Tokens": Change("+100%", "neutral"),
        "Cost": Change("+100%", "bad"),
        "Users": Change("+100%", "good"),
    }
    assert not_compared(overview(1000, 500)) == ""


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (0, "The window before holds no requests: too little to compare with."),
        (1, "The window before holds 1 request: too little to compare with."),
        (9, "The window before holds 9 requests: too little to compare with."),
    ],
)
def test_a_window_before_with_next_to_nothing_is_not_compared(before: int, said: str) -> None:
    """Against a hundredth of the requests or less no figure has a change, and the page says why."""
    found = overview(1000, before)

    assert set(changes(found).values()) == {Change("", "neutral")}
    assert not_compared(found) == said


def test_a_quiet_window_is_compared() -> None:
    """That requests stopped is worth seeing: a window without any is compared with a busy one."""
    assert comparable(0, 1000)
    assert changes(overview(0, 1000))["Requests"] == Change("-100%", "neutral")
