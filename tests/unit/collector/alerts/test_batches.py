"""What is told now, and together."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.alerts.batches import GROUP_INTERVAL, GROUP_WAIT, MAX_ITEMS, Batch, due, seal_name
from spanwise_collector.alerts.claims import SKEW, Claim
from spanwise_collector.alerts.deliver import wait_s
from spanwise_collector.alerts.outbox import Item, Recipient, recipients
from tests.support.notices import NOW, alert, notice

LATER = NOW + GROUP_WAIT


def item(number: int = 1, kind: str = "firing", *, channel: str = "hook", **values: object) -> Item:
    """A row that waits."""
    fields = {name: values.pop(name) for name in ("state", "attempts", "next_at", "error") if name in values}
    told = notice(number, kind, **values)
    return Item(f"{told.key}:{channel}", channel, told, **fields)  # type: ignore[arg-type]


def seals(owner: str, until: datetime, *items: Item) -> dict[str, Claim]:
    """Claims on items by a message."""
    return {seal_name(one): Claim(seal_name(one), 1, owner, until) for one in items}


def told(
    waiting: list[Item],
    claimed: Mapping[str, Claim] = {},
    *,
    now: datetime = LATER,
    last: datetime | None = None,
    grouped: bool = True,
) -> list[tuple[bool, list[str]]]:
    """Each message: whether it is settled, and its keys."""
    last_sent = {one.group: last for one in waiting} if last else {}
    found = due(waiting, claimed, last_sent, now, is_grouped=lambda _: grouped)
    return [(batch.is_sealed, [one.key for one in batch.items]) for batch in found]


def test_the_first_waits_for_others_of_its_rule() -> None:
    """Half a minute, and then they are one message; other rules, projects and channels have their own."""
    one, two = item(1), item(2, at=NOW + timedelta(seconds=29))
    other_rule = item(3, alert=alert(3, rule_id="latency"))
    other_project = item(4, project="lab")
    other_channel = item(1, channel="chat")
    waiting = [one, two, other_rule, other_project, other_channel]

    assert told(waiting, now=LATER - timedelta(milliseconds=1)) == []
    assert told(waiting) == [
        (False, [other_channel.key]),
        (False, [one.key, two.key]),
        (False, [other_rule.key]),
        (False, [other_project.key]),
    ]


def test_after_a_message_the_next_waits() -> None:
    """Five minutes, so that a rule with many series does not ring all the time."""
    assert told([item()], last=LATER - GROUP_INTERVAL + timedelta(seconds=1)) == []
    assert told([item()], last=LATER - GROUP_INTERVAL) == [(False, [item().key])]


def test_a_test_and_a_pager_wait_for_nobody() -> None:
    """A test is for a person who waits; a pager gets one incident per alert, at once."""
    test = item(1, "test", alert=None)
    assert told([test], now=NOW, last=NOW) == [(False, [test.key])]
    assert told([item(1), item(2)], now=NOW, grouped=False) == [(False, [item(1).key]), (False, [item(2).key])]


def test_the_most_urgent_goes_first_and_a_message_has_a_bound() -> None:
    """Pages before tickets; twenty at most, the others follow."""
    tickets = [item(number, severity="ticket") for number in range(1, 30)]
    page = item(40, alert=alert(40, rule_id="slow"))
    found = told([*tickets, page])

    assert found[0] == (False, [page.key])
    assert len(found[1][1]) == MAX_ITEMS


def test_a_message_stays_the_same_when_it_is_repeated() -> None:
    """What failed together is tried together, when it is due; what came since goes into another message."""
    old = [item(number, attempts=1, next_at=LATER, state="failed") for number in (1, 2)]
    new = item(3)
    claimed = seals("x", NOW, *old)

    assert told([*old, new], claimed, now=LATER - timedelta(seconds=1)) == []
    assert told([*old, new], claimed) == [(True, [one.key for one in old]), (False, [new.key])]
    assert Batch(tuple(old), is_sealed=True).key == Batch(tuple(old[:]), is_sealed=True).key
    assert Batch(tuple(old), is_sealed=True).key != Batch((old[0],), is_sealed=True).key


def test_what_another_is_about_to_send_is_left_to_it_until_its_claim_has_run_out() -> None:
    """A deliverer that died before it sent is followed by another, with the same message."""
    waiting = [item(1), item(2)]
    claimed = seals("x", LATER, *waiting)

    assert told(waiting, claimed) == []
    assert told(waiting, claimed, now=LATER + SKEW) == [(True, [one.key for one in waiting])]


def test_of_one_alert_a_channel_hears_in_order() -> None:
    """The end waits while the begin is on its way or has failed; other alerts do not wait."""
    begin = item(1, attempts=1, state="failed", next_at=LATER + timedelta(hours=1))
    end, other = item(1, "resolved", at=NOW + timedelta(seconds=1)), item(2)

    assert told([begin, end, other], seals("x", NOW, begin)) == [(False, [other.key])]
    assert told([item(1), end], grouped=False) == [(False, [item(1).key])]
    assert told([item(1), end]) == [(False, [item(1).key, end.key])]


@given(st.integers(0, 2**32), st.integers(1, 200), st.none() | st.floats(0, 1e6))
def test_the_wait_before_another_attempt_grows_and_has_bounds(seed: int, attempts: int, asked: float | None) -> None:
    """It doubles from ten seconds to half an hour, give or take a half, and heeds what the receiver asks for."""
    found = wait_s(attempts, random.Random(seed), asked)
    plain = min(1800.0, 10.0 * 2 ** min(attempts - 1, 20))
    assert 0.5 * plain <= found <= max(1.5 * plain, min(asked or 0.0, 1800.0))
    assert found >= min(asked or 0.0, 1800.0)


def test_a_notice_goes_to_the_channels_that_its_rule_names_or_that_take_its_severity() -> None:
    """A name that leads nowhere is kept, so that the failure shows; a pager hears of acknowledgements, alone."""
    hook = Recipient("hook", frozenset({"page", "ticket"}))
    pager = Recipient("pager", frozenset({"page"}), skips=frozenset({"digest"}), only=frozenset({"acknowledged"}))
    known = [hook, pager]

    assert recipients(notice(channels=("nowhere", "hook", "hook")), known) == ["nowhere", "hook"]
    assert recipients(notice(channels=()), known) == ["hook", "pager"]
    assert recipients(notice(channels=(), severity="ticket"), known) == ["hook"]
    assert recipients(notice(channels=(), severity="info"), known) == []
    assert recipients(notice(kind="digest", channels=("hook", "pager")), known) == ["hook"]
    assert recipients(notice(kind="acknowledged", channels=()), known) == ["pager"]
    assert recipients(notice(kind="acknowledged", channels=("nowhere", "hook")), known) == []
