"""New kinds of failures are put to the issue whose message has the same template, and stay there."""

from collections.abc import Sequence
from datetime import timedelta

from spanwise_collector.failures.group_round import GroupRound, keyed
from spanwise_collector.failures.issue_book import IssueBook
from spanwise_collector.store.database import Database
from tests.support.failure_rows import Failed, insert_failures
from tests.support.rows import T0

NAMES = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel")


def missing(start: int, names: Sequence[str]) -> list[Failed]:
    """Failures with one template and a word that differs, each a fingerprint of its own."""
    return [
        Failed(
            fingerprint=start + place,
            at=start + place,
            cls="exception",
            error_type="LookupError",
            message=f"could not find the requested column {name} in the table of orders",
        )
        for place, name in enumerate(names)
    ]


def groups(database: Database) -> dict[int, tuple[int, str]]:
    """Fingerprint to group, and how it came there."""
    rows = database.query(
        "SELECT fingerprint, argMax(group_id, version), argMax(how, version) FROM failure_groups GROUP BY fingerprint"
    ).rows
    return {fingerprint: (group, how) for fingerprint, group, how in rows}


def rounds(database: Database, later: int = 0) -> GroupRound:
    """A grouper some minutes after T0."""
    return GroupRound(database, lambda: T0 + timedelta(minutes=60 + later))


def test_messages_of_one_template_become_one_issue(database: Database) -> None:
    """Whichever round they come in, also after a restart; a refusal of the same words stays apart."""
    insert_failures(database, missing(1, NAMES[:5]))
    insert_failures(database, [Failed(fingerprint=99, cls="refusal", message=missing(1, NAMES)[0].message)])
    first = rounds(database).step()
    insert_failures(database, missing(6, NAMES[5:]))
    second = rounds(database, 1).step()

    assert (first["fingerprints"], second["fingerprints"]) == (6, 3)
    assert {group for number, (group, _) in groups(database).items() if number < 90} == {1}
    assert groups(database)[99] == (99, "own")
    assert rounds(database, 2).step() == {"fingerprints": 0, "grouped": 0, "more": 0}


def test_what_people_decide_wins(database: Database) -> None:
    """A fingerprint that was split off stays alone when more of its template come, and a merge stays a merge."""
    insert_failures(database, [*missing(1, NAMES[:5]), Failed(fingerprint=50, at=5, cls="timeout")])
    rounds(database).step()
    book = IssueBook(database, lambda: T0 + timedelta(minutes=70))
    book.split("default", [3])
    book.merge("default", 1, [50])
    insert_failures(database, missing(6, NAMES[5:]))
    rounds(database, 20).step()

    found = groups(database)
    assert found[3] == (3, "split")
    assert found[50] == (1, "merge")
    assert {found[number][0] for number in (1, 2, 4, 5, 6, 7, 8)} == {1}


def test_the_same_words_from_other_places_stay_apart(database: Database) -> None:
    """Two fingerprints with one message differ by where they were raised: they are two issues."""
    one, two = (Failed(fingerprint=number, cls="exception", error_type="E", message="it broke") for number in (1, 2))
    insert_failures(database, [one, two])
    rounds(database).step()
    assert {number: group for number, (group, _) in groups(database).items()} == {1: 1, 2: 2}


def test_only_errors_are_compared_by_their_words() -> None:
    """A refusal's words are the model's; a rate limit of tokens is not one of requests."""
    assert keyed("refusal", "", "openai", "I cannot help with 5") == ("refusal", "")
    tokens = keyed("rate_limit", "RateLimitError", "openai", "429 - Rate limit reached on tokens per min (TPM): 5")
    requests = keyed("rate_limit", "RateLimitError", "openai", "429 - Rate limit reached on requests per min (RPM): 5")
    assert tokens[0] != requests[0]
