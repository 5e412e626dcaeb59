"""What would have been: on another model, and with a cache of answers."""

from datetime import timedelta

import pytest

from spanwise_collector.ingest.cost import PriceBook, Usage
from spanwise_collector.ingest.price_file import parse_price_file
from spanwise_collector.query.costs_source import CallFilter
from spanwise_collector.query.traffic import read_traffic
from spanwise_collector.query.values import micros
from spanwise_collector.query.what_if import get_model_what_if, list_priced_models
from spanwise_collector.query.what_if_cache import get_cache_what_if
from spanwise_collector.query.window import DAY, HOUR, Window
from spanwise_collector.store.database import Database
from spanwise_schemas.api import Usage as Tokens
from spanwise_schemas.api_costs import CacheMatch, CacheWhatIf, ModelSwap, RepeatedInput
from tests.support.rows import T0, Span, insert, llm

START = micros(T0)
MINE = CallFilter("default")
WINDOW = Window(START, START + HOUR)
LISTED = PriceBook()
TIERED = ("google", "gemini-2.5-pro")
"""Another price above 200,000 input tokens, for the whole call."""
OWN = PriceBook(
    parse_price_file(
        """version = "1"
[[models]]
provider = "rack"
model = "other"
input = 1
output = 4
cache_read = 0.1
"""
    )
)


def test_the_same_calls_at_other_prices(database: Database) -> None:
    """Amounts are over the calls whose cost is known on both sides; the others are counted."""
    insert(
        database,
        [
            llm(trace=1, span=1, model="dear", cost=5_000_000, tokens=(1000, 100), cached=(400, 0), provider="p"),
            llm(trace=2, span=2, model="dear", cost=1_000_000, tokens=(1000, 100), provider="p"),
            llm(trace=3, span=3, model="dear", cost=None, tokens=(9000, 100), provider="p"),
            llm(trace=4, span=4, model="mute", cost=7_000, tokens=(0, 0)),
            llm(trace=5, span=5, model="odd", cost=9_000, tokens=(10, 5), cached=(11, 0)),
            llm(trace=6, span=6, counts=False, tokens=(5000, 5000)),
            llm(trace=7, span=7, kind="embedding", tokens=(5000, 0)),
        ],
    )

    found = get_model_what_if(database, MINE, WINDOW, OWN, provider="rack", model="other")

    there = (600 * 1000 + 400 * 100 + 100 * 4000) + (1000 * 1000 + 100 * 4000)
    assert (found.calls, found.compared_calls, found.price_version) == (5, 2, "prices.toml 1")
    assert (found.cost_nanousd, found.cost_there_nanousd) == (6_000_000, there)
    assert found.by_model == [
        ModelSwap(
            provider="p",
            model="dear",
            calls=3,
            compared_calls=2,
            usage=Tokens(input=11_000, output=300, cache_read=400),
            cost_nanousd=6_000_000,
            cost_there_nanousd=there,
        ),
        *(
            ModelSwap(
                provider="",
                model=model,
                calls=1,
                compared_calls=0,
                usage=usage,
                cost_nanousd=None,
                cost_there_nanousd=None,
            )
            for model, usage in (("mute", Tokens()), ("odd", Tokens(input=10, output=5, cache_read=11)))
        ),
    ]


def test_every_call_falls_into_its_own_tier(database: Database) -> None:
    """Calls above and below the tier's edge cost together what the price list says of each, not of their sum."""
    sizes = [1, 150_000, 200_000, 200_001, 250_000]
    insert(database, [llm(trace=n, span=n, tokens=(size, 10)) for n, size in enumerate(sizes, 1)])

    found = get_model_what_if(database, MINE, WINDOW, LISTED, provider=TIERED[0], model=TIERED[1])

    unit = LISTED.price(*TIERED, START)
    assert unit is not None
    costs = [unit.cost(Usage(size, 10)) for size in sizes]
    assert all(costs)
    assert unit.rates(200_001) != unit.rates(200_000)
    assert found.cost_there_nanousd == pytest.approx(sum(cost.total for cost in costs if cost), abs=len(sizes))


def test_sorts_of_tokens_without_a_column_have_their_own_price(database: Database) -> None:
    """Cache writes kept for an hour and audio cost elsewhere what the price list says of them, call by call."""
    prices = PriceBook(
        parse_price_file(
            """[[models]]
model = "other"
input = 1
output = 2
cache_write = 1.25
cache_write_1h = 2
audio_input = 10
audio_output = 20
"""
        )
    )
    extra = {"cache_write_1h": 100, "audio_input": 50, "audio_output": 10}
    calls = [
        llm(trace=1, span=1, tokens=(1000, 40), cached=(0, 300), extra=extra),
        llm(trace=2, span=2, tokens=(500, 20)),
    ]
    insert(database, calls)

    found = get_model_what_if(database, MINE, WINDOW, prices, provider="", model="other")

    unit = prices.price("", "other", START)
    assert unit is not None
    costs = [unit.cost(Usage(1000, 40, 0, 300, 0, **extra)), unit.cost(Usage(500, 20))]
    assert found.cost_there_nanousd == sum(cost.total for cost in costs if cost)


def test_a_model_without_a_price_leaves_nothing_to_compare(database: Database) -> None:
    """An unknown model costs nothing known, which is not zero."""
    insert(database, [llm(trace=1, span=1)])

    found = get_model_what_if(database, MINE, WINDOW, LISTED, provider="", model="no such model")

    assert (found.calls, found.compared_calls, found.cost_nanousd, found.cost_there_nanousd, found.price_version) == (
        1,
        0,
        None,
        None,
        "",
    )


def test_groups_add_up_to_the_calls(database: Database) -> None:
    """By the hour, and over more than a week by the day, no call is lost or counted twice."""
    calls = [llm(trace=n, span=n, at_ms=n * 1_700_000, tokens=(n, 1), cost=n) for n in range(1, 30)]
    insert(database, calls)

    for length in (DAY, 8 * DAY):
        groups = read_traffic(database, MINE, Window(START, START + length), LISTED, timeout_s=30)
        assert sum(group.calls for group in groups) == 29
        assert sum(group.usage.input for group in groups) == sum(group.cost_n or 0 for group in groups) == 435


def test_models_to_choose_from_have_prices() -> None:
    """The file's models and the list's, each with today's price; patterns are no models."""
    found = list_priced_models(OWN, START)
    names = [(one.provider, one.model) for one in found.items]

    assert found.version.startswith("prices.toml 1 + genai-prices ")
    assert names == sorted(names)
    own = next(one for one in found.items if one.provider == "rack")
    assert (own.model, own.input_usd, own.output_usd, own.cache_read_usd) == ("other", 1.0, 4.0, 0.1)
    assert ("openai", "gpt-4o-mini") in names


def cached(database: Database, match: CacheMatch = "exact", ttl: int = 600, **more: int) -> CacheWhatIf:
    """The answer for an hour."""
    return get_cache_what_if(database, MINE, WINDOW, match=match, ttl_seconds=ttl, **more)


def asked(number: int, text: str, minute: float, **values: object) -> Span:
    """A model call with an input at a minute; it costs 1,000 nano-dollars unless said otherwise."""
    return llm(trace=number, span=number, input=text, at_ms=minute * 60_000, **{"cost": 1_000, **values})


def test_a_cache_answers_repeats_within_the_life_of_an_entry(database: Database) -> None:
    """The first call fills it; the entry lives from then on, whatever hits it; after it the next call fills it anew."""
    insert(database, [asked(n, "same", minute, cost=n) for n, minute in enumerate((0, 4, 8, 12, 13), 1)])
    insert(database, [asked(9, "other", 1, cost=50)])

    found = cached(database)

    # Filled at 0: 4 and 8 are hits. At 12 it is filled anew: 13 is a hit.
    assert (found.calls, found.hits, found.hit_rate) == (6, 3, 0.5)
    assert (found.cost_nanousd, found.saved_nanousd, found.sampled) == (65, 2 + 3 + 5, 1.0)
    assert found.top == [
        RepeatedInput(
            model="m-1",
            name="chat",
            calls=5,
            hits=3,
            saved_nanousd=10,
            preview="same",
            example_trace_id=f"{1:032x}",
            last_trace_id=f"{5:032x}",
        )
    ]


def test_an_entry_ends_exactly_with_its_life_time(database: Database) -> None:
    """A call at the very end of the life time is a miss, one a moment before is a hit."""
    insert(database, [asked(1, "a", 0), asked(2, "a", 10), asked(3, "b", 0), asked(4, "b", 10 - 1 / 60_000)])

    assert cached(database, ttl=600).hits == 1


@pytest.mark.parametrize(
    "other",
    [
        {"text": "same!"},
        {"model": "m-2"},
        {"system": "be brief"},
        {"status": "error"},
        {"counts": False},
        {"kind": "tool"},
    ],
)
def test_what_differs_is_no_repeat(database: Database, other: dict[str, object]) -> None:
    """Another text, model or system prompt is another key; failed calls, duplicates and tools are none at all."""
    text = str(other.pop("text", "same"))
    insert(database, [asked(1, "same", 0), asked(2, text, 1, **other)])

    assert cached(database).hits == 0


def test_near_repeats_differ_in_case_digits_and_space(database: Database) -> None:
    """The near cache takes them for the same, the exact one does not; another word is another input for both."""
    insert(
        database,
        [
            asked(1, "Where is order 1234?", 0),
            asked(2, "where  is ORDER 99?\n", 1),
            asked(3, "Where is parcel 1234?", 2),
        ],
    )

    assert (cached(database, "exact").hits, cached(database, "near").hits) == (0, 1)


def test_hits_say_what_speaks_against_them(database: Database) -> None:
    """Streamed hits, hits with a temperature, and hits whose cost is unknown are counted."""
    insert(
        database,
        [
            asked(1, "q", 0, cost=None),
            asked(2, "q", 1, streaming=True, params={"temperature": "0.7"}),
            asked(3, "q", 2, ttft_ms=5, params={"temperature": "0"}, cost=None),
        ],
    )

    found = cached(database)

    assert (found.hits, found.streamed_hits, found.varied_hits, found.unpriced_hits) == (2, 2, 1, 1)
    assert found.saved_nanousd == 1_000


def test_a_cache_without_prices_saves_nothing_known(database: Database) -> None:
    """Hits are counted; what they would have saved is unknown."""
    insert(database, [asked(1, "q", 0, cost=None), asked(2, "q", 1, cost=None)])

    found = cached(database)

    assert (found.hits, found.saved_nanousd, found.cost_nanousd) == (1, None, None)
    assert found.top[0].saved_nanousd is None


def test_of_many_calls_a_share_of_the_inputs_is_looked_at(database: Database) -> None:
    """Every call of an input or none: the rate of what was looked at holds, and the answer says the share."""
    pairs = [asked(2 * n + late, f"question {n} x{'y' * n}", late) for n in range(1, 200) for late in (0, 1)]
    insert(database, pairs)

    found = cached(database, max_calls=100)

    assert found.sampled == 0.25
    assert found.hits % 4 == 0
    # Of 199 inputs about a quarter is drawn, by their hashes: 3 standard deviations are 18.
    assert 199 - 4 * 18 <= found.hits <= 199 + 4 * 18
    assert found.saved_nanousd == found.hits * 1_000


def test_windows_outside_see_nothing(database: Database) -> None:
    """Repeats are counted within the window alone."""
    insert(database, [asked(1, "q", 0), asked(2, "q", 1)])
    later = Window(START + 30_000_000, START + HOUR)

    found = get_cache_what_if(database, MINE, later, match="exact", ttl_seconds=600)

    assert (found.calls, found.hits, found.start) == (1, 0, T0 + timedelta(seconds=30))
