"""Drain: messages of one template share a group."""

import random

from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.failures.drain import SLOT, Drain, tokens_of

WORDS = ["alpha", "beta", "gamma", "cannot", "open", "read", "the", "table", "file", "model", "of", "in", "is", "not"]


def groups_of(messages: list[str]) -> list[int]:
    """The groups of messages after all of them."""
    drain = Drain()
    places = [drain.add(message) for message in messages]
    return [drain.group(place) for place in places]


def test_tokens_are_words_and_slots() -> None:
    """Punctuation goes, values and names are slots, words are in lower case and singular, repetitions stand once."""
    assert tokens_of("Model <id>: user=root has no rate_limit (2 errors)") == (
        "model", SLOT, "user", SLOT, "has", "no", SLOT, "error",
    )  # fmt: skip
    assert tokens_of("node <num> is ok, node <num> is ok, node <num> is ok") == ("node", SLOT, "is", "ok")
    assert tokens_of("use one of red, green, blue or grey; not pink, lilac") == (
        "use", "one", "of", SLOT, "or", "grey", "not", "pink", "lilac",
    )  # fmt: skip
    assert tokens_of("job went from app.state.RUNNING to NOT_FOUND") == (
        "job", "went", "from", "app.state.running", "to", "not_found",
    )  # fmt: skip


def test_a_message_without_words_stands_for_itself() -> None:
    """Two messages without any word are the same only when they are equal."""
    assert groups_of(["<num> / <num>", "<num> - <num>", "<num> / <num>"]) == [0, 1, 0]


def test_words_tell_messages_apart() -> None:
    """One word makes another message while only two were seen at its place."""
    assert groups_of(["link eth is up now", "link eth is down now"]) == [0, 1]


def test_three_words_at_one_place_are_values() -> None:
    """With the third word at the same place the groups become one, and later words belong to it at once."""
    messages = [f"session opened for user {name} by admin" for name in ("ann", "bob", "cy", "dora")]
    drain = Drain()
    assert [drain.add(message) for message in messages] == [0, 1, 0, 0]
    assert [drain.group(place) for place in (0, 1, 2)] == [0, 0, 0]
    assert sorted(drain.take_joined()) == [(0, 1), (0, 2)]
    assert drain.take_joined() == []


def test_the_less_is_said_the_more_values_it_takes() -> None:
    """With two equal words it takes eight at the place; with one, any number of words are different messages."""
    names = ["red", "green", "blue", "grey", "pink", "lilac", "black", "white"]
    assert groups_of([f"unknown colour {name}" for name in names[:7]]) == list(range(7))
    assert groups_of([f"unknown colour {name}" for name in names]) == [0] * 8
    assert groups_of([f"{name} failed" for name in names]) == list(range(8))


def test_little_words_say_little() -> None:
    """Words of one or two letters do not count for what is equal around a place."""
    assert groups_of([f"it is {what} of a model" for what in ("part", "name", "end", "size")]) == [0, 1, 2, 3]


def test_a_word_may_face_a_value() -> None:
    """A name that is a plain word is the same as one with digits."""
    assert groups_of(["no such table <id> here", "no such table users here"]) == [0, 0]


def test_where_the_slots_are_does_not_matter() -> None:
    """Messages with the same words are one, with however many values in between."""
    assert (
        groups_of(["connection from <host> ( ) at <time>", "connection from <host> at", "connection from at"])
        == [0] * 3
    )


def test_there_are_at_most_so_many_templates() -> None:
    """Beyond the limit messages that fit no template share a last group; those that fit one still find it."""
    drain = Drain(max_templates=2)
    assert [drain.add(message) for message in ("one here", "two there", "red car", "blue bird", "one here")] == [
        0,
        1,
        2,
        2,
        0,
    ]


def test_the_last_group_takes_no_other_along() -> None:
    """What began the last group is no template: like no earlier one, it is joined with none."""
    drain = Drain(max_templates=1)
    assert [drain.add(message) for message in ("disk <num> full", "disk full", "file is gone")] == [0, 1, 1]


@given(st.lists(st.lists(st.sampled_from([*WORDS, "<num>", "x_1"]), min_size=1, max_size=6).map(" ".join), max_size=40))
def test_the_same_messages_give_the_same_groups(messages: list[str]) -> None:
    """Groups follow from the messages and their order; a repeated one changes nothing."""
    groups = groups_of(messages)
    assert groups == groups_of(messages)
    assert groups == groups_of([*messages, *messages])[: len(messages)]
    drain = Drain()
    for message in messages:
        place = drain.add(message)
        assert place == drain.group(place) == drain.add(message)


@given(st.randoms(use_true_random=False))
def test_values_of_any_kind_share_a_template(rng: random.Random) -> None:
    """Whatever comes first, names, numbers and words at a place end up in one group."""
    values = ["<num>", "<id>", "order_items", "orders", "users", "main.orders", "invoices"]
    rng.shuffle(values)
    assert len(set(groups_of([f"cannot read the table {value} of this store" for value in values]))) == 1
