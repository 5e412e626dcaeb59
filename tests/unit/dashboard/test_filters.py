"""Filters as chips and outcomes."""

from hypothesis import given
from hypothesis import strategies as st

from spanwise_dashboard.state import STATUSES, Filters
from spanwise_dashboard.views.filters import OUTCOMES, active_chips, outcomes, without

LISTS = st.lists(st.text(min_size=1, max_size=8), max_size=3, unique=True).map(tuple)
FILTERS = st.builds(
    Filters,
    environment=LISTS,
    name=LISTS,
    tag=LISTS,
    status=st.lists(st.sampled_from(list(OUTCOMES)), unique=True).map(
        lambda chosen: tuple(status for outcome in chosen for status in OUTCOMES[outcome])
    ),
    user=st.text(max_size=8),
    q=st.text(max_size=8),
    min_cost_usd=st.none() | st.floats(0, 100),
)


@given(FILTERS)
def test_removing_every_chip_leaves_no_filter(filters: Filters) -> None:
    """Each chip takes away exactly what it stands for; without any there is nothing left to filter by."""
    chips = active_chips(filters)
    for number, chip in enumerate(chips):
        filters = without(filters, chip.value)

        assert [each.value for each in active_chips(filters)] == [each.value for each in chips[number + 1 :]]

    assert filters == Filters()


def test_a_chip_of_a_number_keeps_the_others() -> None:
    """A limit is removed by its name, whatever its value."""
    filters = Filters(min_cost_usd=0.25, max_cost_usd=1.0)

    assert without(filters, active_chips(filters)[0].value) == Filters(max_cost_usd=1.0)


def test_an_unknown_chip_changes_nothing() -> None:
    """What the browser sends is not trusted to be a filter's name."""
    filters = Filters(q="x")

    assert without(filters, "colour=red") == filters


def test_outcomes_cover_the_statuses() -> None:
    """Every status belongs to one outcome, and a span without a status has not failed."""
    assert [outcomes([status]) for status in STATUSES] == [["Succeeded"], ["Failed"], ["Succeeded"]]
