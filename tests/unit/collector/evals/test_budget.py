"""Dollars per day: never exceeded, by however many workers, whatever the endpoint does."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanwise_collector.evals.assembly import PanelMaker
from spanwise_collector.evals.budget import SHARE, Day, Purse, read_day
from spanwise_collector.evals.calls import BudgetSpentError, JudgeError, request_body
from spanwise_collector.evals.chat_http import HttpEndpoint
from spanwise_collector.evals.evals_file import EvalsConfig, JudgeConfig
from spanwise_collector.evals.money import PriceUnknownError, most_it_may_cost, prices_of, what_it_cost
from spanwise_collector.evals.prompt import Scale, messages, response_schema
from spanwise_collector.evals.rubric import Criterion, Rubric
from spanwise_collector.evals.verdicts import Completion
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import TransientStoreError
from spanwise_evaluators.model import Sample
from tests.support.judge_server import Reply, judge_server, rate_limited, server_error, verdict
from tests.support.judging import MODEL, NOON, charged_n, in_threads, judge_entry, make_world, prices

RUBRIC = Rubric("", (Criterion("", "Is it good?"),))
NOW_US = int(NOON.timestamp()) * 1_000_000
_NUMBERS = itertools.count()


def purse(database: Database, limit_n: int, name: str, now: Callable[[], datetime] = lambda: NOON) -> Purse:
    """A purse of a process of its own."""
    ids = itertools.count()
    owner = next(_NUMBERS)
    return Purse(
        database,
        "shop",
        name,
        lambda: limit_n,
        now=now,
        clock=lambda: float(next(ids)) * 10,
        new_id=lambda: f"{owner}-{next(ids)}",
    )


OUTCOMES: dict[str, Reply] = {
    "good": verdict("pass"),
    "bad": verdict("fail"),
    "silent": replace(verdict("pass"), usage=False),
    "limited": rate_limited("0"),
    "error": server_error(500),
    "late": Reply(hang=True),
    "broken": Reply("{"),
    "cut": Reply(cut=True),
    "long": replace(verdict("pass", "very long " * 30), tokens=(900, 200)),
}


@given(
    schedule=st.lists(st.sampled_from(sorted(OUTCOMES)), min_size=6, max_size=30),
    workers=st.integers(1, 4),
    limit_n=st.integers(500_000, 20_000_000),
    crash=st.booleans(),
)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_schedule_of_outcomes_goes_beyond_the_limit(
    database: Database, schedule: list[str], workers: int, limit_n: int, crash: bool
) -> None:
    """Several workers, any endpoint: what it charges by its own count is below the limit; no score is made up."""
    name = f"j{next(_NUMBERS)}"
    endpoint = HttpEndpoint()
    with judge_server() as server:
        # What happens is decided by what is judged, so that each verdict can be checked against what was said.
        server.answer = lambda body: OUTCOMES[schedule[_number_in(body["messages"][1]["content"]) % len(schedule)]]
        entry = judge_entry(
            server.url, name=name, usd_per_day=limit_n / 1e9, timeout_seconds=0.3, attempts=2, concurrency=2
        )
        config = EvalsConfig(judges=(JudgeConfig(entry, RUBRIC),))
        makers = [PanelMaker(lambda: config, make_world(database, endpoint)) for _ in range(workers)]

        def judge(number: int) -> tuple[str, float | None]:
            judge = makers[number % workers].current().judges[0].judge
            try:
                found = judge.judge(Sample(output=f"answer {number}"))
            except BudgetSpentError:
                return "spent", None
            except JudgeError as error:
                return error.kind, None
            assert found is not None
            return "scored", found.verdicts[name].value

        results = in_threads([partial(judge, number) for number in range(len(schedule) * 2)], 6)
        for maker in makers[1 if crash else 0 :]:
            maker.close()
        charged = charged_n(server.charged)
    endpoint.close()

    assert charged <= limit_n
    ledger = read_day(database, "shop", name, NOON.date())
    assert charged <= ledger.granted_n <= limit_n or (charged, ledger) == (0, Day())
    said = {"good": 1.0, "silent": 1.0, "long": 1.0, "bad": 0.0}
    for number, (outcome, value) in enumerate(results):
        if outcome == "scored":
            assert value == said[schedule[number % len(schedule)]]
    if not crash:
        makers[0].close()


def _number_in(content: str) -> int:
    return int(content.rsplit("answer ", 1)[1].rstrip('"}'))


def test_eight_threads_share_one_limit(database: Database) -> None:
    """Of eight processes that take as fast as they can, all together get the limit and no more."""
    purses = [purse(database, 1_000_000, "race") for _ in range(8)]

    def take(one: Purse) -> int:
        taken = 0
        while one.reserve(7_000) is not None:
            taken += 1
        return taken

    taken = sum(in_threads([partial(take, one) for one in purses]))

    assert 1_000_000 * 0.9 <= taken * 7_000 <= 1_000_000


def test_what_was_not_needed_can_be_used(database: Database) -> None:
    """A call that cost less leaves more for the next; what a process gives back another may spend."""
    first, second = purse(database, 100_000, "change"), purse(database, 100_000, "change")
    hold = first.reserve(100_000)
    assert hold is not None
    assert second.reserve(10_000) is None

    first.settle(hold, 30_000)
    first.give_back()

    assert read_day(database, "shop", "change", NOON.date()) == Day(2, 30_000, 30_000)
    assert second.reserve(70_000) is not None
    assert second.reserve(1) is None


def test_a_purse_takes_a_share_at_a_time(database: Database) -> None:
    """Most calls ask the ledger nothing: a hundredth of the limit is taken at once."""
    one = purse(database, 1_000_000_000, "share")
    for _ in range(50):
        assert one.reserve(100_000) is not None

    assert read_day(database, "shop", "share", NOON.date()) == Day(1, 1_000_000_000 // SHARE, 0)


def test_a_day_begins_at_midnight(database: Database) -> None:
    """Yesterday's money is not today's; a call over midnight is paid by the day in which it began."""
    times = [NOON.replace(hour=23, minute=59)]
    one = purse(database, 1_000_000, "days", lambda: times[0])
    late = one.reserve(1_000_000)
    assert late is not None
    assert one.reserve(1) is None

    times[0] = times[0] + timedelta(minutes=2)
    assert one.reserve(1_000_000) is not None
    one.settle(late, 400)
    one.report()

    assert read_day(database, "shop", "days", NOON.date()).spent_n == 400
    assert read_day(database, "shop", "days", NOON.date() + timedelta(days=1)).granted_n == 1_000_000


def test_without_the_ledger_nothing_is_spent() -> None:
    """A store that is away is no permission."""

    class Away:
        def query(self, *_: object, **__: object) -> object:
            raise TransientStoreError("away")

        def insert(self, *_: object, **__: object) -> None:
            raise AssertionError

    lonely = Purse(
        Away(),  # type: ignore[arg-type]  # only its failing matters
        "shop",
        "x",
        lambda: 10,
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        clock=lambda: 0.0,
        new_id=lambda: "1",
    )
    with pytest.raises(TransientStoreError):
        lonely.reserve(1)


@given(st.text(max_size=300), st.integers(32, 4000))
def test_the_bound_holds_for_every_text(text: str, max_tokens: int) -> None:
    """A tokenizer that makes a token of every byte, and an answer as long as allowed, cost at most the bound."""
    entry = judge_entry(max_tokens=max_tokens)
    scale = Scale("binary")
    body = request_body(entry, messages(RUBRIC, scale, Sample(output=text)), response_schema(RUBRIC, scale))
    unit = prices_of(prices(), "own", MODEL, NOW_US)

    cost = what_it_cost(unit, Completion("", "", len(body), max_tokens))

    assert cost is not None
    assert cost <= most_it_may_cost(unit, len(body), max_tokens)


def test_a_model_without_a_price_cannot_be_a_judge() -> None:
    """The message names the setting that gives prices."""
    with pytest.raises(PriceUnknownError, match="SPANWISE_PRICES_FILE"):
        prices_of(PriceBook(), "own", "judge-1", NOW_US)


def test_usage_that_contradicts_itself_is_none() -> None:
    """More cached than input tokens says nothing of the cost, which then counts with the most."""
    unit = prices_of(prices(), "own", MODEL, NOW_US)
    assert what_it_cost(unit, Completion("", "", 10, 5, cached_tokens=11)) is None
    assert what_it_cost(unit, Completion("", "", None, 5)) is None
