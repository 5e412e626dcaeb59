"""Grouping: fingerprints, groups, and what people decide about them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.failures.grouping import Grouper, Message

NAMES = ("ann", "bob", "cy", "dora")


def opened(number: int, name: str, key: str = "exception|OSError") -> Message:
    """A message that is one with others after its third name."""
    return Message(number, key, f"session opened for user {name} by admin", number)


def test_a_group_begins_with_its_first_fingerprint() -> None:
    """New fingerprints are taken in the order of their first appearance, not in that of the list."""
    grouper = Grouper()
    other = Message(8, "exception|OSError", "disk is full", 0)
    changed = grouper.add([opened(5, "<id>"), opened(3, "<num>"), other])
    assert changed == {8: 8, 3: 3, 5: 3}
    assert list(grouper.groups) == [8, 3, 5]


def test_keys_keep_messages_apart() -> None:
    """The same words under another key are another group."""
    grouper = Grouper()
    assert grouper.add([opened(1, "ann"), opened(2, "ann", "rate_limit|429")]) == {1: 1, 2: 2}


def test_no_message_is_no_template() -> None:
    """Fingerprints whose key says everything are never joined."""
    grouper = Grouper()
    assert grouper.add([Message(1, "loop", "", 1), Message(2, "loop", "", 2)]) == {1: 1, 2: 2}


def test_a_later_message_joins_older_groups() -> None:
    """When the third name shows that names are values, the older groups move to the oldest."""
    grouper = Grouper()
    grouper.add([opened(1, "ann"), opened(2, "bob")])
    assert dict(grouper.groups) == {1: 1, 2: 2}
    assert grouper.add([opened(3, "cy")]) == {2: 1, 3: 1}


def test_adding_again_changes_nothing() -> None:
    """A fingerprint that is known keeps its group."""
    grouper = Grouper()
    messages = [opened(number, name) for number, name in enumerate(NAMES, 1)]
    grouper.add(messages)
    assert grouper.add(messages) == {}


def test_merged_groups_stay_one() -> None:
    """What joins a merged group later gets the id that was decided on, across keys as well."""
    grouper = Grouper()
    grouper.add([opened(1, "<id>"), Message(2, "timeout|", "took too long", 2)])
    decisions, changed = grouper.merge([1], into=2)
    assert (decisions, changed) == ({1: 2, 2: 2}, {1: 2})
    assert grouper.add([opened(3, "<num>")]) == {3: 2}


def test_merged_and_merged_back() -> None:
    """The later decision holds, and no two decisions can point at each other."""
    grouper = Grouper()
    grouper.add([Message(1, "a", "", 1), Message(2, "b", "", 2), Message(3, "c", "", 3)])
    grouper.merge([1], into=2)
    grouper.split(1)
    decisions, changed = grouper.merge([2, 3], into=1)
    assert (decisions, changed) == ({2: 1, 3: 1, 1: 1}, {2: 1, 3: 1})


def test_split_stays_split() -> None:
    """A fingerprint that was split off keeps to itself whatever joins its old group."""
    grouper = Grouper()
    grouper.add([opened(number, name) for number, name in enumerate(NAMES[:3], 1)])
    assert grouper.split(2) == ({2: 2}, {2: 2})
    assert grouper.add([opened(4, "dora")]) == {4: 1}
    assert dict(grouper.groups) == {1: 1, 2: 2, 3: 1, 4: 1}


def test_split_takes_along_what_it_had_before() -> None:
    """Splitting off what had been a group of its own brings that group back."""
    grouper = Grouper()
    grouper.add([opened(1, "ann"), opened(2, "bob"), opened(3, "bob!"), opened(4, "cy")])
    assert set(grouper.groups.values()) == {1}
    assert grouper.split(2) == ({2: 2}, {2: 2, 3: 2})


def test_the_first_cannot_be_split_off() -> None:
    """A group cannot lose the fingerprint that is its id, and nothing unknown can be decided on."""
    grouper = Grouper()
    grouper.add([opened(1, "ann")])
    with pytest.raises(ValueError, match="split off the others"):
        grouper.split(1)
    with pytest.raises(KeyError):
        grouper.split(9)
    with pytest.raises(KeyError):
        grouper.merge([1], into=9)


def test_stored_groups_stay_under_other_templates() -> None:
    """What was stored by another version keeps its group; new messages go by the new templates."""
    one, two, three = (opened(number, name) for number, name in enumerate(("<id>", "<num>", "<host>"), 1))
    apart = Grouper.restore([(one, 1), (two, 2)])
    assert dict(apart.groups) == {1: 1, 2: 2}
    assert apart.add([three]) == {3: 1}
    together = Grouper.restore([(Message(1, "a", "disk is full", 1), 1), (Message(2, "b", "file is gone", 2), 1)])
    assert dict(together.groups) == {1: 1, 2: 1}


messages = st.lists(
    st.builds(
        "{} {} the {} of {}".format,
        st.sampled_from(["cannot open", "cannot read", "did lose"]),
        st.sampled_from(["all of", "", "<num>"]),
        st.sampled_from(["table", "file", "model", "index", "<id>"]),
        st.sampled_from(["users", "orders", "x_1", "<id>", "plans"]),
    ).map(lambda text: " ".join(text.split())),
    max_size=25,
)


def made_of(texts: list[str], keys: list[int]) -> list[Message]:
    """Messages, each later than the one before."""
    return [Message(at + 1, f"key {key}", text, at) for at, (text, key) in enumerate(zip(texts, keys, strict=False))]


@given(messages, st.lists(st.integers(0, 1), min_size=25, max_size=25), st.integers(0, 25), st.data())
def test_a_restored_grouper_goes_on_as_the_old_one(
    texts: list[str], keys: list[int], cut: int, data: st.DataObject
) -> None:
    """Stored, restored and gone on with: the groups are those of a grouper that never stopped, with any decisions."""
    made = made_of(texts, keys)
    lasting = Grouper()
    lasting.add(made[:cut])
    decisions: dict[int, int] = {}
    for _ in range(data.draw(st.integers(0, 4))):
        if not lasting.groups:
            break
        one, other = data.draw(st.tuples(*[st.sampled_from(list(lasting.groups))] * 2))
        if data.draw(st.booleans()) and lasting.groups[one] != one:
            decisions |= lasting.split(one)[0]
        else:
            decisions |= lasting.merge([one], into=other)[0]
    decided = dict(lasting.groups)
    by_number = {one.fingerprint: one for one in made}
    restored = Grouper.restore([(by_number[one], group) for one, group in lasting.groups.items()], decisions)
    assert dict(restored.groups) == decided
    assert restored.add(made[cut:]) == lasting.add(made[cut:])
    assert dict(restored.groups) == dict(lasting.groups)
    for one, group in decisions.items():
        assert lasting.groups[one] == lasting.groups[group]
        if one == group:
            assert lasting.groups[one] == one


@given(messages, st.lists(st.integers(0, 1), min_size=25, max_size=25), st.integers(1, 7))
def test_batches_do_not_matter(texts: list[str], keys: list[int], size: int) -> None:
    """The changes of all batches add up to the groups of one batch, each named by its first fingerprint."""
    made = made_of(texts, keys)
    at_once = Grouper()
    at_once.add(made)
    in_parts = Grouper()
    told: dict[int, int] = {}
    for start in range(0, len(made), size):
        told |= in_parts.add(made[start : start + size])
    assert told == dict(in_parts.groups) == dict(at_once.groups)
    assert all(group == min(one for one, its in told.items() if its == group) for group in told.values())
