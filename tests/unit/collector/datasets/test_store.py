"""Datasets on the real engine: versions that stay, and writers that meet."""

import itertools
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.datasets.model import Item, difference, item_of
from spanwise_collector.datasets.store import Datasets, UnknownDatasetError
from spanwise_collector.store.database import Database
from spanwise_schemas.api_datasets import DatasetChanged, NewItem
from tests.support.notices import NOW


def clock() -> Iterator[datetime]:
    """A second later at every look."""
    for seconds in itertools.count():
        yield NOW + timedelta(seconds=seconds)


@pytest.fixture
def datasets(database: Database) -> Datasets:
    """Over an empty database."""
    ids, times = itertools.count(), clock()
    return Datasets(database, now=lambda: next(times), new_id=lambda: f"c{next(ids)}")


def item(number: int, expected: str = "") -> Item:
    """An item with an id."""
    return item_of(NewItem(item_id=f"i{number}", input=f"question {number}", expected=expected or None))


def ids(found: tuple[int, list[Item]]) -> list[str]:
    """Ids in their order."""
    return [one.item_id for one in found[1]]


def test_each_change_makes_a_version_and_old_ones_stay(datasets: Datasets) -> None:
    """Added, replaced, removed; each state can be listed later, in its order; nothing new makes no version."""
    datasets.make("shop", "faq", description="Questions", by="ada")
    first = datasets.change("shop", "faq", [item(1), item(2), item(2, "b")], note="first", by="ada")
    second = datasets.change("shop", "faq", [item(3), item(1, "a")], ["i2", "i9"])
    third = datasets.change("shop", "faq", [item(3)])
    fourth = datasets.change("shop", "faq", [item(2)], replace_all=True)

    assert [first, second, third, fourth] == [
        DatasetChanged(dataset="faq", version=1, items=2, added=2, repeated=1),
        DatasetChanged(dataset="faq", version=2, items=2, added=1, changed=1, removed=1),
        DatasetChanged(dataset="faq", version=2, items=2, unchanged=1),
        DatasetChanged(dataset="faq", version=3, items=1, added=1, removed=2),
    ]
    assert [ids(datasets.items("shop", "faq", version=number)) for number in (1, 2, 3)] == [
        ["i1", "i2"],
        ["i1", "i3"],
        ["i2"],
    ]
    assert [one.expected for one in datasets.page("shop", "faq", version=1).items] == [None, "b"]
    detail = datasets.detail("shop", "faq")
    assert (detail.dataset.description, detail.dataset.by, detail.dataset.version) == ("Questions", "ada", 3)
    assert [(one.number, one.note, one.by, one.items) for one in detail.versions] == [
        (3, "", "", 1),
        (2, "", "", 2),
        (1, "first", "ada", 2),
    ]


def test_pages_and_search(datasets: Datasets) -> None:
    """A page begins where the one before ends; a text is looked for in any case."""
    datasets.make("shop", "faq")
    datasets.change("shop", "faq", [item(number) for number in range(5)])
    page = datasets.page("shop", "faq", offset=2, limit=2)
    last = datasets.page("shop", "faq", offset=4, limit=2)
    found = datasets.page("shop", "faq", text="QUESTION 3")

    assert ([one.item_id for one in page.items], page.total, page.next_offset) == (["i2", "i3"], 5, 4)
    assert ([one.item_id for one in last.items], last.next_offset) == (["i4"], None)
    assert ([one.item_id for one in found.items], found.total) == (["i3"], 1)


def test_projects_do_not_see_each_other(datasets: Datasets) -> None:
    """Datasets of one name in two projects are two; another project's is not there."""
    for project, number in (("shop", 1), ("lab", 2)):
        datasets.make(project, "faq")
        datasets.change(project, "faq", [item(number)])

    assert [ids(datasets.items(project, "faq")) for project in ("shop", "lab")] == [["i1"], ["i2"]]
    assert [one.name for one in datasets.listed("other").items] == []
    with pytest.raises(UnknownDatasetError, match="no dataset 'faq' in the project 'other'"):
        datasets.items("other", "faq")
    with pytest.raises(UnknownDatasetError, match="no version 2; its newest is 1"):
        datasets.items("shop", "faq", version=2)


def test_writers_that_meet_lose_nothing(database: Database) -> None:
    """Changes made at the same time become versions one after the other, each with its items."""
    counter = itertools.count()
    made = Datasets(database, now=lambda: NOW, new_id=lambda: f"x{next(counter)}")
    made.make("shop", "faq")
    barrier = threading.Barrier(3)

    def write(number: int) -> None:
        mine = Datasets(database, now=lambda: NOW, new_id=lambda: f"w{number}-{next(counter)}")
        barrier.wait(30)
        mine.change("shop", "faq", [item(number)])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [one.number for one in made.detail("shop", "faq").versions] == [3, 2, 1]
    assert sorted(ids(made.items("shop", "faq"))) == ["i0", "i1", "i2"]
    assert [len(made.items("shop", "faq", version=number)[1]) for number in (1, 2, 3)] == [1, 2, 3]


CHANGES = st.lists(
    st.tuples(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["", "a", "b"]))), st.lists(st.integers(0, 5))),
    max_size=6,
)


@given(changes=CHANGES)
def test_a_difference_leads_from_one_state_to_the_next(changes: list[tuple[list[tuple[int, str]], list[int]]]) -> None:
    """Applied in turn, what is there is what a plain dict would hold; counts add up; no place is taken twice."""
    state: dict[str, Item] = {}
    expected: dict[str, str] = {}
    for put, remove in changes:
        found = difference(state, [item(number, text) for number, text in put], [f"i{one}" for one in remove])
        state = {key: one for key, one in state.items() if one not in found.removed}
        state |= {one.item_id: one for one in found.put}
        given = {f"i{number}": text for number, text in put}
        expected = {key: text for key, text in expected.items() if key in given or int(key[1:]) not in remove} | given

        assert {key: one.expected for key, one in state.items()} == {
            key: f'"{text}"' if text else "" for key, text in expected.items()
        }
        assert found.items == len(state)
        assert found.added + found.changed + found.unchanged + found.repeated == len(put)
        assert len({one.position for one in state.values()}) == len(state)
