"""Who may send, and to which project."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spanwise_collector.receive.access import Access, Doorkeeper, is_loopback
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.grpc_server import peer_address
from spanwise_collector.receive.keys import Key, KeyRing, Scope, new_key
from tests.support import otlp

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
ELSEWHERE = "192.0.2.7"


def make_key(
    *projects: str, scopes: tuple[Scope, ...] = ("ingest",), expires: datetime | None = None
) -> tuple[Key, str]:
    """A new key."""
    return new_key(projects=projects, scopes=scopes, created=NOW - timedelta(days=1), expires=expires, note="")


def door(*keys: Key) -> Doorkeeper:
    """The door with these keys configured."""
    ring = KeyRing(keys)
    return Doorkeeper(lambda: ring, lambda: NOW)


def resource(**values: object) -> Any:
    """A resource with the attributes, dots written as underscores."""
    attributes = {name.replace("_", "."): value for name, value in values.items()}
    return otlp.traces(resource=attributes).resource_spans[0].resource


def refused(keeper: Doorkeeper, headers: dict[str, str], peer: str = ELSEWHERE) -> tuple[Reason, str]:
    """Why a request is not let in."""
    with pytest.raises(NotTakenError) as caught:
        keeper.admit(headers, peer)
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_without_keys_this_machine_is_served(peer: str) -> None:
    """Every project is its own to name."""
    keeper = Doorkeeper(lambda: None, lambda: NOW)

    assert keeper.admit({}, peer) == Access()
    assert keeper.admit({"x-spanwise-project": "shop"}, peer).project_of(resource(spanwise_project="lab")) == "shop"
    assert Access().project_of(resource(spanwise_project="lab")) == ""


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        (ELSEWHERE, {}),
        ("::ffff:192.0.2.7", {}),
        ("", {}),
        ("unix", {}),
        (ELSEWHERE, {"x-forwarded-for": "127.0.0.1"}),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}),
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}),
        (ELSEWHERE, {"authorization": "Bearer sw_0a0a0a0a_" + "x" * 43}),
    ],
)
def test_without_keys_nobody_else_is(peer: str, headers: dict[str, str]) -> None:
    """Nor what a proxy on this machine passes on, whatever its headers say; the sentence has the remedy."""
    reason, detail = refused(Doorkeeper(lambda: None, lambda: NOW), headers, peer)

    assert reason is Reason.NO_KEY
    assert "spanwise keys create" in detail
    assert "SPANWISE_KEYS_FILE" in detail


def test_a_key_is_found_wherever_clients_put_it() -> None:
    """Bearer, x-api-key, and Basic with our secret as the user name or the password, as Langfuse's clients send it."""
    key, secret = make_key("shop")

    def basic(user: str, password: str) -> dict[str, str]:
        return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}

    for headers in (
        {"authorization": f"Bearer {secret}"},
        {"authorization": f"bearer  {secret} "},
        {"x-api-key": secret},
        {"authorization": "Basic no base64", "x-api-key": secret},
        {"authorization": "Bearer pk-lf-1", "x-api-key": secret},
        basic("pk-lf-1", secret),
        basic(secret, "sk-lf-1"),
        basic(secret, ""),
    ):
        assert door(key).admit(headers, ELSEWHERE).project_of(resource()) == "shop"


def test_without_a_right_key_nobody_is_let_in() -> None:
    """Not even this machine, once keys are configured."""
    key, secret = make_key("shop")
    old, old_secret = make_key("shop", expires=NOW)
    reader, reader_secret = make_key("shop", scopes=("read",))
    keeper = door(key, old, reader)

    for peer in (ELSEWHERE, "127.0.0.1"):
        assert refused(keeper, {}, peer)[0] is Reason.NO_KEY
    assert refused(keeper, {"x-api-key": secret + "x"})[0] is Reason.NO_KEY
    assert refused(keeper, {"authorization": f"Digest {secret}"})[0] is Reason.NO_KEY
    assert refused(keeper, {"x-api-key": old_secret}) == (
        Reason.NO_KEY,
        f"The API key {old.id} has expired. Make another one with `spanwise keys create`.",
    )
    assert refused(keeper, {"x-api-key": reader_secret}) == (
        Reason.NOT_ALLOWED,
        f"The API key {reader.id} has the scope read; this needs ingest. Make a key with `spanwise keys create "
        "--scope ingest`.",
    )


def test_a_key_names_the_project() -> None:
    """Its first one, or another of its own that a header or the resource names; the header goes first."""
    key, secret = make_key("shop", "lab")
    headers = {"x-api-key": secret}
    access = door(key).admit(headers, ELSEWHERE)
    chosen = door(key).admit({**headers, "x-spanwise-project": "lab"}, ELSEWHERE)

    assert access.project_of(resource()) == "shop"
    assert access.project_of(resource(spanwise_project="")) == "shop"
    assert access.project_of(resource(spanwise_project=" lab ")) == "lab"
    assert chosen.project_of(resource(spanwise_project="shop")) == "lab"


def test_a_project_of_others_is_refused_in_a_sentence() -> None:
    """It says who named which project, and which there are."""
    key, secret = make_key("shop", "lab")
    headers = {"x-api-key": secret}

    assert refused(door(key), {**headers, "x-spanwise-project": "hr"}) == (
        Reason.NOT_ALLOWED,
        f"The header x-spanwise-project names the project 'hr'; the key {key.id} is for 'shop', 'lab'. "
        "Use a key of that project, or leave the name out.",
    )
    with pytest.raises(
        NotTakenError, match=r"The resource attribute spanwise\.project names the project 'hr'"
    ) as caught:
        door(key).admit(headers, ELSEWHERE).project_of(resource(spanwise_project="hr"))
    assert caught.value.reason is Reason.NOT_ALLOWED


def test_a_key_for_all_projects_leaves_the_choice_to_the_sender() -> None:
    """Header first, else what the resource says."""
    key, secret = make_key("*")
    headers = {"x-api-key": secret}

    assert door(key).admit(headers, ELSEWHERE).project_of(resource(spanwise_project="any")) == ""
    assert door(key).admit({**headers, "x-spanwise-project": "hr"}, ELSEWHERE).project_of(resource()) == "hr"


def test_a_header_that_is_no_name_is_refused() -> None:
    """A project's name stands in URLs and menus."""
    key, secret = make_key("*")

    reason, detail = refused(door(key), {"x-api-key": secret, "x-spanwise-project": "a:b"})

    assert (reason, "'a:b' is no name of a project" in detail) == (Reason.BAD_BODY, True)


@pytest.mark.parametrize(
    ("peer", "address", "local"),
    [
        ("ipv4:127.0.0.1:4711", "127.0.0.1", True),
        ("ipv6:%5B::1%5D:4711", "::1", True),
        ("ipv6:[2001:db8::7]:4711", "2001:db8::7", False),
        ("ipv4:192.0.2.7:4711", "192.0.2.7", False),
        ("unix:/tmp/x", "", False),
        ("unknown", "", False),
    ],
)
def test_grpc_has_its_own_names_of_peers(peer: str, address: str, local: bool) -> None:
    """Family, address and port in one text."""
    assert (peer_address(peer), is_loopback(address)) == (address, local)
