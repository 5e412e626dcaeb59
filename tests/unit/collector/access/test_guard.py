"""Requests without keys: this machine alone, and no pages of other addresses; and the operator's key."""

from datetime import UTC, datetime

import pytest
from fastapi import APIRouter

from spanwise_collector.api.guard import Guard, guarded_router, of_all_projects
from spanwise_collector.receive.access import Access, Doorkeeper
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.keys import KeyRing

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HERE = {"host": "127.0.0.1:4318"}
OPERATOR = "0123456789abcdef0123456789abcdef"


def guard(ring: KeyRing | None = None, operator_key: str = "") -> Guard:
    """A guard with these keys."""
    return Guard(Doorkeeper(lambda: ring, lambda: NOW, operator_key=operator_key))


@pytest.mark.parametrize(
    "headers",
    [
        HERE,
        {"host": "localhost:4318"},
        {"host": "[::1]:4318"},
        {**HERE, "origin": "http://127.0.0.1:4318"},
        {**HERE, "sec-fetch-site": "same-origin"},
        {**HERE, "sec-fetch-site": "none"},
    ],
)
def test_this_machine_is_served(headers: dict[str, str]) -> None:
    """Programs, the address bar, and the API's own pages."""
    assert guard().admit(headers, "127.0.0.1", "admin").projects is None


@pytest.mark.parametrize(
    ("headers", "peer", "reason"),
    [
        (HERE, "10.0.0.7", Reason.NO_KEY),
        ({**HERE, "x-forwarded-for": "10.0.0.7"}, "127.0.0.1", Reason.NO_KEY),
        ({"host": "evil.example:4318"}, "127.0.0.1", Reason.NOT_ALLOWED),
        ({"host": "127.0.0.1.evil.example"}, "127.0.0.1", Reason.NOT_ALLOWED),
        ({}, "127.0.0.1", Reason.NOT_ALLOWED),
        ({**HERE, "origin": "https://evil.example"}, "127.0.0.1", Reason.NOT_ALLOWED),
        ({**HERE, "origin": "http://127.0.0.1:8501"}, "127.0.0.1", Reason.NOT_ALLOWED),
        ({**HERE, "origin": "null"}, "127.0.0.1", Reason.NOT_ALLOWED),
        ({**HERE, "sec-fetch-site": "cross-site"}, "127.0.0.1", Reason.NOT_ALLOWED),
    ],
)
def test_others_are_not(headers: dict[str, str], peer: str, reason: Reason) -> None:
    """Other machines, what a proxy passed on, names that lead here from elsewhere, and pages of other addresses."""
    with pytest.raises(NotTakenError) as caught:
        guard().admit(headers, peer, "read")

    assert caught.value.reason is reason
    assert "spanwise keys create" in caught.value.detail


@pytest.mark.parametrize("ring", [None, KeyRing()], ids=["no key file", "an empty key file"])
def test_the_operators_key_opens_everything(ring: KeyRing | None) -> None:
    """From everywhere, by whatever name, with and without a key file."""
    headers = {"host": "spanwise.example", "authorization": f"Bearer {OPERATOR}"}

    assert guard(ring, OPERATOR).admit(headers, "10.0.0.7", "admin") == Access(who="the operator's key")


@pytest.mark.parametrize("offered", ["", OPERATOR[:-1], OPERATOR + "0", OPERATOR.upper()])
def test_nothing_but_the_operators_key_is_taken_for_it(offered: str) -> None:
    """No part of it, and no empty one where none is configured."""
    for keeper in (guard(KeyRing(), OPERATOR), guard(KeyRing(), "")):
        with pytest.raises(NotTakenError):
            keeper.admit({"authorization": f"Bearer {offered}"}, "127.0.0.1", "read")


def test_an_endpoint_without_a_project_says_what_it_is_about() -> None:
    """It does not load otherwise, so that nobody forgets."""
    router: APIRouter = guarded_router(prefix="/x", tags=[])

    def endpoint() -> None: ...

    with pytest.raises(TypeError, match="/x/y has no parameter `project`: mark it with of_all_projects"):
        router.get("/y")(endpoint)
    router.get("/y")(of_all_projects(endpoint))
