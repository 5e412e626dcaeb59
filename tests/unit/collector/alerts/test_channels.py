"""Channels against real servers on this machine: what arrives, what is refused, and that no secret shows."""

import asyncio
import hashlib
import hmac
import ipaddress
import json
import re
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from spanwise_collector.alerts.channels.addresses import IpAddress, may_be_reached, read_networks, resolve
from spanwise_collector.alerts.channels.config import CHANNEL
from spanwise_collector.alerts.channels.http import ANSWER_BYTES, Poster, check_url
from spanwise_collector.alerts.channels.mail import Mail, check_address
from spanwise_collector.alerts.channels.message import Message, SendError, facts, plain
from spanwise_collector.alerts.channels.opening import Surroundings, open_channel, target
from spanwise_collector.alerts.channels.secrets import Secret
from spanwise_collector.alerts.channels.slack import payload
from spanwise_collector.alerts.evidence import notice_of
from spanwise_collector.alerts.state import EventBody
from spanwise_schemas.api_changes import Exemplar, WhatChanged
from tests.support.notices import NOW, alert, notice
from tests.support.receivers import HttpReceiver, Reply, http_receiver
from tests.support.smtp_stub import CERTIFICATE, SmtpStub, smtp_stub, trusting

LOCAL = read_networks("127.0.0.0/8")
DASHBOARD = "https://spanwise.example"


def message(*kinds: str) -> Message:
    """One notice of each kind, each about another alert."""
    notices = tuple(notice(number, kind) for number, kind in enumerate(kinds or ("firing",), 1))
    return Message("ab" * 16, "hook", notices, tuple(f"{one.key}:hook" for one in notices), DASHBOARD)


def send(told: Message, environ: dict[str, str] | None = None, **config: object) -> str:
    """Send over a channel."""
    around = Surroundings(environ or {}, LOCAL, lambda: NOW)
    return open_channel(CHANNEL.validate_python({"name": "hook", **config}), around).send(told)


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    """An HTTP server."""
    with http_receiver() as server:
        yield server


def test_a_webhook_gets_everything_signed(receiver: HttpReceiver) -> None:
    """Notices with their alerts as the API has them; the signature is over the time and the very bytes."""
    told = message("firing", "resolved")
    assert send(told, {"S": "s3cret"}, type="webhook", url=receiver.url(), secret_env="S") == ""
    (received,) = receiver.received
    document = json.loads(received.body)

    assert received.path == "/hook"
    assert received.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["idempotency-key"] == "ab" * 16
    time, made = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", received.headers["spanwise-signature"]).groups()  # type: ignore[union-attr]
    assert int(time) == NOW.timestamp()
    assert made == hmac.new(b"s3cret", time.encode() + b"." + received.body, hashlib.sha256).hexdigest()
    assert {name: value for name, value in document.items() if name != "notifications"} == {
        "version": 1,
        "id": "ab" * 16,
        "channel": "hook",
        "project": "shop",
    }
    assert document["notifications"][0] == {
        "key": "0000000000000001:1:firing:hook",
        "kind": "firing",
        "at": "2026-11-24T12:00:00+00:00",
        "severity": "page",
        "title": "Firing: Errors (model m1)",
        "text": "Examples:\n- trace 0af7651916cd43dd8448eb211c80319c: timeout",
        "url": "https://spanwise.example/alerts?alert=1",
        "runbook": "https://runbooks.example/errors",
        "labels": {"team": "search"},
        "alert": alert(1).model_dump(mode="json"),
    }
    assert [one["kind"] for one in document["notifications"]] == ["firing", "resolved"]


def test_a_webhook_without_a_secret_is_not_signed(receiver: HttpReceiver) -> None:
    """There is nothing to sign with."""
    send(message(), type="webhook", url=receiver.url())
    assert "spanwise-signature" not in receiver.received[0].headers


@pytest.mark.parametrize(
    ("reply", "says", "retry_after"),
    [
        (Reply(500, b"out of\norder"), "127.0.0.1 answered 500: out of order", None),
        (Reply(429, b"", {"Retry-After": "30"}), "127.0.0.1 answered 429", 30.0),
        (Reply(503, b"", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), "127.0.0.1 answered 503", None),
        (
            Reply(302, b"", {"Location": "http://169.254.169.254/"}),
            "127.0.0.1 answered 302, a redirect, and those are not followed; write the final address",
            None,
        ),
        (Reply(400, b"x" * 10 * ANSWER_BYTES), f"127.0.0.1 answered 400: {'x' * 200}", None),
    ],
)
def test_an_answer_that_is_no_yes_is_told(
    receiver: HttpReceiver, reply: Reply, says: str, retry_after: float | None
) -> None:
    """Status and the begin of the text; how long to wait where it is said in seconds."""
    receiver.replies = [reply]
    with pytest.raises(SendError) as raised:
        send(message(), type="webhook", url=receiver.url())
    assert (str(raised.value), raised.value.retry_after_s, len(receiver.received)) == (says, retry_after, 1)


def test_what_does_not_answer_ends_in_time() -> None:
    """A server that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(SendError) as raised:
        Poster(LOCAL, timeout_s=0.1).post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"", {})

    assert str(raised.value) == "127.0.0.1 did not answer within 0.1 s"


@pytest.mark.parametrize(
    ("address", "allowed", "is_reached"),
    [
        ("93.184.216.34", "", True),
        ("2606:2800:220:1:248:1893:25c8:1946", "", True),
        ("127.0.0.1", "", False),
        ("127.0.0.1", "127.0.0.0/8", True),
        ("10.1.2.3", "", False),
        ("10.1.2.3", "10.1.2.0/24", True),
        ("10.1.3.3", "10.1.2.0/24", False),
        ("169.254.169.254", "", False),
        ("100.64.0.1", "", False),
        ("0.0.0.0", "", False),
        ("224.0.0.1", "", False),
        ("::1", "", False),
        ("::1", "::1", True),
        ("fe80::1", "", False),
        ("fd00::1", "10.0.0.0/8", False),
        ("::ffff:10.1.2.3", "", False),
        ("::ffff:10.1.2.3", "10.0.0.0/8", True),
        ("64:ff9b::a01:203", "", False),
        ("2002:a01:203::1", "", False),
    ],
)
def test_private_addresses_are_reached_only_where_allowed(address: str, allowed: str, is_reached: bool) -> None:
    """Whatever form they have."""
    found: IpAddress = ipaddress.ip_address(address)
    assert may_be_reached(found, read_networks(allowed)) is is_reached


def test_a_name_that_means_a_private_address_is_refused() -> None:
    """Before anything is sent."""
    with pytest.raises(SendError, match=r"localhost is .*not public.*SPANWISE_ALERTS_PRIVATE_NETWORKS"):
        Poster().post("http://localhost:1/", b"", {})
    with pytest.raises(SendError, match=r"the host nowhere\.invalid is not found"):
        asyncio.run(resolve("nowhere.invalid", 1, LOCAL))


def test_the_address_that_was_checked_is_the_one_that_is_reached(
    receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is asked for once; its server hears its name."""
    asked: list[str] = []

    async def rebinding(self: asyncio.BaseEventLoop, host: str, port: int, **_: object) -> list[object]:
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "203.0.113.9", port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", rebinding)
    send(message(), type="webhook", url=f"http://hooks.example:{receiver.port}/x?y=1")

    assert asked == ["hooks.example"]
    assert (receiver.received[0].path, receiver.received[0].headers["host"]) == (
        "/x?y=1",
        f"hooks.example:{receiver.port}",
    )


def test_the_certificate_must_be_that_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it is the address that is connected to."""

    async def here(self: asyncio.BaseEventLoop, host: str, port: int, **_: object) -> list[object]:
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", here)
    with http_receiver(SmtpStub().context()) as receiver:
        url = f"https://{{}}:{receiver.port}/"
        assert Poster(LOCAL).post(url.format("localhost"), b"x", {}) == "ok"
        with pytest.raises(SendError, match=r"hooks\.example cannot be reached .*certificate"):
            Poster(LOCAL).post(url.format("hooks.example"), b"x", {})
    assert [one.body for one in receiver.received] == [b"x"]


@pytest.mark.parametrize("url", ["ftp://x/", "x", "https://", "https://u:p@h/", "http://[::"])
def test_an_address_that_cannot_be_posted_to_is_refused(url: str) -> None:
    """With what to write."""
    with pytest.raises(ValueError, match=r"write "):
        check_url(url)


def test_slack_gets_blocks_within_its_limits(receiver: HttpReceiver) -> None:
    """A heading, the sentence, what to know first, a button; `&<>` are escaped."""
    told = message("firing")
    first = replace(told.notices[0], text="a < b & c\n" + "x" * 4000, title="Firing: " + "T" * 200)
    send(replace(told, notices=(first,)), {"U": receiver.url("/T/B/x")}, type="slack", url_env="U")
    document = json.loads(receiver.received[0].body)
    header, section, context, actions = document["blocks"]

    assert document["text"] == f"Firing: {'T' * 200}"
    assert header["text"]["text"] == f":red_circle: Firing: {'T' * 200}"[:149] + "…"
    words = section["text"]["text"]
    assert words.startswith("Error rate is 8.1 %, usual at this hour is 2.0 %.\n\na &lt; b &amp; c\nxxx")
    assert len(words) == 3000
    assert context["elements"][0]["text"].splitlines() == [
        "*Where* model m1",
        "*Since* 2026-11-24 10:00 UTC",
        "*Moved most by* prompt ask@v2",
        "*False alarms* expect one such false alarm in 30 days",
        "*Project* shop",
        "*Runbook* https://runbooks.example/errors",
        "*team* search",
    ]
    assert actions["elements"][0]["url"] == "https://spanwise.example/alerts?alert=1"
    many = payload(message(*["firing"] * 20))
    assert (len(many["blocks"]), many["blocks"][-1]["text"]["text"]) == (49, "and 8 more")


def test_slack_s_secret_address_does_not_show(receiver: HttpReceiver) -> None:
    """Neither its path in an error, nor where the answer repeats it."""
    url = receiver.url("/T/B/hush")
    receiver.replies = [Reply(404, f"no {url}".encode())]
    with pytest.raises(SendError) as raised:
        send(message(), {"U": url}, type="slack", url_env="U")
    assert str(raised.value) == "127.0.0.1 answered 404: no ***"


def test_pagerduty_opens_and_closes_one_incident_per_alert(receiver: HttpReceiver) -> None:
    """The Events API's form; a test opens one and closes it."""
    config = {"type": "pagerduty", "routing_key_env": "K", "url": receiver.url("/v2/enqueue")}
    send(message("firing"), {"K": "r0ut3"}, **config)
    test = message("test")
    send(replace(test, notices=(replace(test.notices[0], alert=None, text="hello"),)), {"K": "r0ut3"}, **config)
    first, opened, closed = (json.loads(one.body) for one in receiver.received)

    assert first == {
        "routing_key": "r0ut3",
        "event_action": "trigger",
        "dedup_key": "spanwise:shop:0000000000000001",
        "payload": {
            "summary": "Errors: Error rate is 8.1 %, usual at this hour is 2.0 %.",
            "source": "shop",
            "severity": "critical",
            "timestamp": "2026-11-24T10:00:00+00:00",
            "component": "error_rate",
            "group": "errors",
            "class": "anomaly",
            "custom_details": {
                "text": "Error rate is 8.1 %, usual at this hour is 2.0 %.\n\n"
                "Examples:\n- trace 0af7651916cd43dd8448eb211c80319c: timeout",
                "Where": "model m1",
                "Since": "2026-11-24 10:00 UTC",
                "Moved most by": "prompt ask@v2",
                "False alarms": "expect one such false alarm in 30 days",
                "Project": "shop",
                "Runbook": "https://runbooks.example/errors",
                "team": "search",
            },
        },
        "client": "Spanwise",
        "client_url": "https://spanwise.example/alerts?alert=1",
        "links": [{"href": "https://spanwise.example/alerts?alert=1", "text": "Open in Spanwise"}],
    }
    assert [(one["event_action"], one["dedup_key"]) for one in (opened, closed)] == [
        (action, "spanwise:0000000000000001:1:test:hook") for action in ("trigger", "resolve")
    ]


def test_pagerduty_s_key_does_not_show(receiver: HttpReceiver) -> None:
    """Where the answer repeats it."""
    receiver.replies = [Reply(400, b"r0ut3 is invalid")]
    with pytest.raises(SendError, match=r"answered 400: \*\*\* is invalid$"):
        send(message(), {"K": "r0ut3"}, type="pagerduty", routing_key_env="K", url=receiver.url())


def test_what_the_text_says_is_not_said_again() -> None:
    """The engine's text has the promise and the cause; dates are new."""
    one = notice(text="What moved it most: prompt ask@v2.\nExpect one such false alarm in 30 days.")
    assert [label for label, _ in facts(one)] == ["Where", "Since", "Project", "Runbook", "team"]


def test_example_traces_are_named_without_what_was_written_in_them() -> None:
    """At most three, with what is wrong with each: texts of people and models stay in Spanwise."""
    examples = [
        Exemplar(trace_id=f"{number:032x}", time=NOW, name="ask", preview="my secret", detail="timeout" * (number == 1))
        for number in range(1, 5)
    ]
    times = dict.fromkeys(("before_start", "before_end", "start", "end"), NOW)
    numbers = {"n_before": 1, "n_after": 1, "before": 0.0, "after": 1.0}
    about = {"project": "shop", "signal": "error_rate", "title": "Error rate", "unit": "ratio"}
    changed = WhatChanged.model_validate({**times, **numbers, **about, "bad": examples})
    told = notice_of(None, (), EventBody(alert=alert(1), tells="firing", what_changed=changed), 1, 0, lambda _: "/a")

    assert told is not None
    assert told.text.splitlines()[-4:] == [
        "Example traces:",
        f"- {1:032x}: timeout",
        f"- {2:032x}: ask",
        f"- {3:032x}: ask",
    ]
    assert "secret" not in told.text


PLAIN = """\
Resolved: Errors (model m1)

Error rate is 8.1 %, usual at this hour is 2.0 %.

Examples:
- trace 0af7651916cd43dd8448eb211c80319c: timeout

Where: model m1
Since: 2026-11-24 10:00 UTC
Moved most by: prompt ask@v2
False alarms: expect one such false alarm in 30 days
Project: shop
Runbook: https://runbooks.example/errors
team: search

https://spanwise.example/alerts?alert=1
"""


def mail(stub: SmtpStub, **values: object) -> Mail:
    """A mail channel to the stub."""
    given: dict[str, object] = {
        "host": "localhost" if stub.tls != "none" else "127.0.0.1",
        "port": stub.port,
        "security": stub.tls,
        "username": "",
        "password": Secret("P", "", {"P": "p4ss"}),
        "sender": "Spanwise <alerts@example.com>",
        "to": ("ops@example.com", "dev@example.com"),
        "context": trusting(),
    }
    return Mail(**{**given, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize("tls", ["starttls", "tls", "none"])
def test_a_mail_arrives_over_an_encrypted_connection_with_a_login(tls: str) -> None:
    """Subject, text and thread; the id is the same for each attempt."""
    with smtp_stub(tls=tls, login=("me", "p4ss") if tls != "none" else None) as stub:
        for _ in range(2):
            assert mail(stub, username="me" if tls != "none" else "").send(message("resolved")) == ""
        first, second = stub.mails

    assert (first["subject"], first["from"], first["to"]) == (
        "Resolved: Errors (model m1)",
        "Spanwise <alerts@example.com>",
        "ops@example.com, dev@example.com",
    )
    assert first["message-id"] == second["message-id"] == f"<{'ab' * 16}@example.com>"
    assert first["auto-submitted"] == "auto-generated"
    assert first.get_content().replace("\r\n", "\n") == PLAIN


def test_mails_about_one_alert_are_one_thread() -> None:
    """They refer to the same id; those about another do not."""

    def references(*numbers: int) -> list[str]:
        with smtp_stub() as stub:
            for number in numbers:
                one = notice(number)
                mail(stub).send(Message("cd" * 16, "m", (one,), (one.key,)))
        return [str(found["references"]) for found in stub.mails if isinstance(found, EmailMessage)]

    first, again, other = references(1, 1, 2)
    assert first == again != other


def test_what_the_mail_server_says_is_told_without_the_password() -> None:
    """A wrong login, a server that is busy, recipients that it does not know."""
    with smtp_stub(tls="starttls", login=("me", "other")) as stub, pytest.raises(SendError) as raised:
        mail(stub, username="me").send(message())
    assert str(raised.value) == f"localhost:{stub.port}: 535 not with ***"
    with smtp_stub() as stub:
        stub.data_reply = "451 busy"
        with pytest.raises(SendError, match=r"127\.0\.0\.1:\d+: 451 busy"):
            mail(stub).send(message())
    with smtp_stub(refused=frozenset({"dev@example.com"})) as stub:
        assert mail(stub).send(message()) == "127.0.0.1 does not take mail for dev@example.com"
        assert len(stub.mails) == 1
    with smtp_stub(refused=frozenset({"dev@example.com", "ops@example.com"})) as stub, pytest.raises(SendError):
        mail(stub).send(message())
    with pytest.raises(SendError, match=r"127\.0\.0\.1:\d+: .*refused"):
        mail(stub).send(message())


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    """Encrypted to the wrong one is not encrypted."""
    with smtp_stub(tls="tls") as stub, pytest.raises(SendError, match="certificate verify failed"):
        mail(stub, context=None).send(message())


def test_a_subject_is_one_line_and_an_address_is_one() -> None:
    """Nothing in a title makes a header; wrong addresses are told before anything is sent."""
    told = message()
    with smtp_stub() as stub:
        first = replace(told.notices[0], title="Firing: a\r\nBcc: evil@example.com")
        mail(stub).send(replace(told, notices=(first,)))
    assert stub.mails[0]["subject"] == "Firing: a Bcc: evil@example.com"
    assert stub.mails[0]["bcc"] is None
    for wrong in ("", "ops", "@example.com", "ops@"):
        with pytest.raises(ValueError, match="no mail address"):
            check_address(wrong)


# apprise looks for what Python has dropped later.
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_apprise_reaches_what_it_knows(receiver: HttpReceiver) -> None:
    """By its own address; what goes wrong is told without it."""
    url = f"json://127.0.0.1:{receiver.port}/hush"
    send(message("firing", "resolved"), {"U": url}, type="apprise", url_env="U")
    document = json.loads(receiver.received[0].body)
    assert (document["title"], document["type"]) == ("Firing: Errors (model m1) and 1 more", "failure")
    assert document["message"].startswith("Firing: Errors (model m1)\n\nError rate is")

    receiver.replies = [Reply(500)]
    with pytest.raises(SendError, match=r"^apprise could not deliver it") as raised:
        send(message(), {"U": url}, type="apprise", url_env="U")
    assert "hush" not in str(raised.value)
    with pytest.raises(SendError, match="apprise does not know this address"):
        send(message(), {"U": "nonsense"}, type="apprise", url_env="U")


def test_without_apprise_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is imported when it is used, and not before."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(SendError, match=r"needs the package apprise: pip install 'spanwise\[apprise\]'"):
        send(message(), {"U": "json://h"}, type="apprise", url_env="U")


def test_a_secret_is_read_when_it_is_used(tmp_path: Path) -> None:
    """From a variable or a file; where it is missing, the message says where it should be."""
    path = tmp_path / "secret"
    path.write_text("one\n")
    secret = Secret("", str(path), {})
    assert secret.read() == "one"
    path.write_text("two")
    assert secret.read() == "two"
    path.write_text("\n")
    with pytest.raises(SendError, match=r"secret is empty$"):
        secret.read()
    with pytest.raises(SendError, match=r"nowhere cannot be read on the collector that delivers"):
        Secret("", str(tmp_path / "nowhere"), {}).read()
    with pytest.raises(SendError, match=r"the environment variable HOOK is not set on the collector that delivers"):
        Secret("HOOK", "", {"HOOK": ""}).read()


def test_a_target_shows_no_secret() -> None:
    """Hosts, mail addresses and names of secrets."""
    configs: list[dict[str, object]] = [
        {"type": "webhook", "url": "https://hooks.example/T/hush?x=hush"},
        {"type": "webhook", "url_env": "HOOK"},
        {"type": "slack", "url_file": "/run/secrets/slack"},
        {"type": "pagerduty", "routing_key_env": "KEY"},
        {"type": "email", "host": "h", "from": "a@example.com", "to": ["b@example.com", "c@example.com"]},
        {"type": "apprise", "url_env": "A"},
    ]
    assert [target(CHANNEL.validate_python({"name": "x", **one})) for one in configs] == [
        "hooks.example",
        "HOOK",
        "/run/secrets/slack",
        "KEY",
        "b@example.com, c@example.com",
        "A",
    ]


def test_without_the_dashboard_s_address_there_is_no_link() -> None:
    """A relative address leads nowhere from a mail."""
    assert "alerts?alert" not in plain(replace(message(), dashboard_url=""))
