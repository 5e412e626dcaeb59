"""Prices: expectations are spelled as tokens times USD per million tokens."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from genai_prices import Usage as ListUsage
from genai_prices import calc_price
from genai_prices.data import providers
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.ingest.cost import Cost, PriceBook, Usage
from spanwise_collector.ingest.price_file import PriceFileError, load_price_file, parse_price_file
from tests.support.otlp import NOW_MS, one_row, record, rows, span, traces, transform

NOW_US = NOW_MS * 1000
BOOK = PriceBook()
LIST = "genai-prices 0.2.3"


def mtok(usd: str, tokens: int) -> int:
    """Nano-dollars of tokens at a price in USD per million."""
    exact = Decimal(usd) * tokens * 1000
    assert exact == int(exact), "choose numbers that need no rounding"
    return int(exact)


def cost(model: str, usage: Usage, *, provider: str = "", at: int = NOW_US, book: PriceBook = BOOK) -> Cost | None:
    """What a call costs."""
    prices = book.price(provider, model, at)
    return None if prices is None else prices.cost(usage)


def test_plain_call() -> None:
    """Input and output at their prices."""
    expected = Cost(mtok("2.5", 1_189), mtok("10", 1_120), mtok("2.5", 1_189) + mtok("10", 1_120), LIST)

    assert expected == cost("gpt-4o", Usage(1_189, 1_120), provider="openai")


def test_cached_tokens_are_part_of_the_input() -> None:
    """Cached tokens are taken out of the input and charged at their own price."""
    usage = Usage(input=2_065, output=100, cache_read=640, cache_write=306)
    cost_in = mtok("3", 2_065 - 640 - 306) + mtok("0.3", 640) + mtok("3.75", 306)

    found = cost("claude-sonnet-4-20250514", usage, provider="anthropic")

    assert found == Cost(cost_in, mtok("15", 100), cost_in + mtok("15", 100), LIST)


@pytest.mark.parametrize(("tokens", "usd_in", "usd_out"), [(200_000, "1.25", "10"), (200_001, "2.5", "15")])
def test_tiers(tokens: int, usd_in: str, usd_out: str) -> None:
    """Above the threshold the higher price holds for all tokens of the call."""
    cost_in, cost_out = mtok(usd_in, tokens), mtok(usd_out, 1_000)

    assert Cost(cost_in, cost_out, cost_in + cost_out, LIST) == cost(
        "gemini-2.5-pro", Usage(tokens, 1_000), provider="gcp.vertex_ai"
    )


@pytest.mark.parametrize(
    ("maker", "model"),
    [("openai", "gpt-4o"), ("openai", "text-embedding-3-small"), ("google", "gemini-embedding-001")],
)
def test_model_without_its_provider(maker: str, model: str) -> None:
    """A name alone is priced as by who makes the model, also where several sell it."""
    alone = cost(model, Usage(1_000_000, 0))

    assert alone is not None
    assert alone == cost(model, Usage(1_000_000, 0), provider=maker)


def test_price_of_the_day() -> None:
    """The time of the call decides, not today: o3 cost 10 and 40 USD until it was cut to 2 and 8 in June 2025."""
    before = int(datetime(2025, 6, 1, tzinfo=UTC).timestamp() * 1e6)
    usage = Usage(1_000, 1_000)

    assert (mtok("10", 1_000) + mtok("40", 1_000), mtok("2", 1_000) + mtok("8", 1_000)) == tuple(
        found.total for at in (before, NOW_US) if (found := cost("o3", usage, provider="openai", at=at))
    )


def test_price_of_the_hour() -> None:
    """A model with off-peak hours is priced by the minute of the call."""
    usage = Usage(1_000, 1_000)
    peak, off_peak = (
        cost(
            "deepseek-chat",
            usage,
            provider="deepseek",
            at=int(datetime(2025, 3, 1, hour, tzinfo=UTC).timestamp() * 1e6),
        )
        for hour in (12, 20)
    )

    assert peak is not None
    assert off_peak is not None
    assert (mtok("0.27", 1_000) + mtok("1.1", 1_000), mtok("0.135", 1_000) + mtok("0.55", 1_000)) == (
        peak.total,
        off_peak.total,
    )


@pytest.mark.parametrize(
    ("provider", "model"),
    [("", "my-own-model"), ("openai", "my-own-model"), ("my-rack", "gpt-4o"), ("openai", "claude-sonnet-4-20250514")],
)
def test_unknown(provider: str, model: str) -> None:
    """What no list knows has no cost; a model of a known name in an unknown place has none either."""
    assert None is cost(model, Usage(1, 1), provider=provider)


@pytest.mark.parametrize("usage", [Usage(10, 0, cache_read=11), Usage(10, 0, 6, 5), Usage(0, 10, reasoning=11)])
def test_contradiction(usage: Usage) -> None:
    """Counts that contradict each other have no cost."""
    assert None is cost("gpt-4o", usage, provider="openai")


MODELS = sorted({(one.id, model.id) for one in providers for model in one.models})
COUNTS = st.integers(0, 2_000_000)


@given(st.sampled_from(MODELS), COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, st.integers(1_600_000_000, 1_900_000_000))
def test_same_as_the_package(
    model: tuple[str, str], plain: int, read: int, write: int, output: int, reasoning: int, at: int
) -> None:
    """For every model, time and usage the cost is the package's own, to half a nano-dollar each way."""
    usage = Usage(plain + read + write, output + reasoning, read, write, reasoning)

    found = cost(model[1], usage, provider=model[0], at=at * 1_000_000)

    try:
        truth = calc_price(
            ListUsage(
                input_tokens=usage.input,
                output_tokens=usage.output,
                cache_read_tokens=read,
                cache_write_tokens=write,
                output_reasoning_tokens=reasoning,
            ),
            model[1],
            provider_id=model[0],
            genai_request_timestamp=datetime.fromtimestamp(at, UTC),
        )
    except LookupError:
        # The list's own name of a model is not always one that the list recognises.
        assert found is None
        return
    if found is None:
        assert truth.model_price.input_mtok is None or truth.model_price.output_mtok is None
        return
    assert abs(found.total - truth.total_price * 10**9) <= 1
    assert found.total == found.input + found.output


FILE = """
version = "2026-11"

[[models]]
model = "llama-*"
provider = "my-rack"
input = 0.1
output = "0.2"

[[models]]
model = "gpt-4o"
input = 2
output = 8
cache_read = 0.5
cache_write = 2.5
reasoning = 9

[[models]]
model = "gpt-4o"
from = 2026-11-22
input = 1
output = 4
"""


def test_own_prices() -> None:
    """The user's file goes before the list, its later entries before earlier ones, each from its day on."""
    book = PriceBook(parse_price_file(FILE))
    day_before = NOW_US - 86_400_000_000
    usage = Usage(100, 50, 30, 20, 10)
    cost_in = mtok("2", 50) + mtok("0.5", 30) + mtok("2.5", 20)
    cost_out = mtok("8", 40) + mtok("9", 10)

    assert [
        Cost(cost_in, cost_out, cost_in + cost_out, "prices.toml 2026-11"),
        Cost(mtok("1", 100), mtok("4", 50), mtok("1", 100) + mtok("4", 50), "prices.toml 2026-11"),
        Cost(mtok("0.1", 10), mtok("0.2", 10), mtok("0.1", 10) + mtok("0.2", 10), "prices.toml 2026-11"),
        None,
        Cost(mtok("1.1", 100), mtok("4.4", 0), mtok("1.1", 100), LIST),
    ] == [
        cost("GPT-4o", usage, provider="openai", at=day_before, book=book),
        cost("gpt-4o", usage, provider="anyone", book=book),
        cost("llama-3.3-70b", Usage(10, 10), provider="My-Rack", book=book),
        cost("llama-3.3-70b", Usage(10, 10), provider="other-rack", book=book),
        cost("o3-mini", Usage(100, 0), provider="openai", book=book),
    ]
    assert "prices.toml 2026-11 + genai-prices 0.2.3" == book.version


def test_audio_and_price_per_call() -> None:
    """Audio is charged at its own price, but for what was read from a cache; a price per call comes on top."""
    text = '[[models]]\nmodel = "m"\ninput = 1\noutput = 2\naudio_input = 10\naudio_output = 20\nrequest = 0.001\n'
    book = PriceBook(parse_price_file(text))
    cost_in, cost_out = mtok("10", 60) + mtok("1", 40) + 1_000_000, mtok("2", 20) + mtok("20", 30)

    found = cost("m", Usage(100, 50, cache_read=40, audio_input=80, audio_output=30), book=book)

    assert found == Cost(cost_in, cost_out, cost_in + cost_out, parse_price_file(text).version)


def test_version_of_a_file_without_one() -> None:
    """A file that names no version is known by its content."""
    text = '[[models]]\nmodel = "m"\ninput = 1\noutput = 1\n'

    assert ("prices.toml 87082e72c303", True) == (
        parse_price_file(text).version,
        parse_price_file(text).version != parse_price_file(text + "#").version,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models = 1", r"prices.toml: write each model as a table \[\[models\]\]"),
        ("x = ", "prices.toml is not TOML"),
        ("model = []", r"has unknown keys model; use version and \[\[models\]\]"),
        ("[[models]]\ninput = 1\noutput = 1", "model 1 needs `model`"),
        ('[[models]]\nmodel = "m"\ninput = 1', "model 1 needs `input` and `output`"),
        ('[[models]]\nmodel = "m"\ninput = -1\noutput = 1', "`input`: -1 must be from 0 to 1000000"),
        ('[[models]]\nmodel = "m"\ninput = nan\noutput = 1', "`input`: NaN must be from 0 to 1000000"),
        ('[[models]]\nmodel = "m"\ninput = "x"\noutput = 1', "`input`: 'x' is not a number"),
        ('[[models]]\nmodel = "m"\ninput = true\noutput = 1', "`input` is a number"),
        ('[[models]]\nmodel = "m"\ninput = 1\noutput = 1\nfrom = "May"', "`from` is a date such as 2026-11-01"),
        ('[[models]]\nmodel = "m"\ninput = 1\noutput = 1\ncached = 1', "unknown keys cached; known are audio_input"),
    ],
)
def test_mistakes_in_the_file(text: str, message: str) -> None:
    """Every mistake is named with its place, and stops the start."""
    with pytest.raises(PriceFileError, match=f"^SPANWISE_PRICES_FILE: .*{message}"):
        parse_price_file(text)


def test_file_on_disk(tmp_path: Path) -> None:
    """A file is read from its path; one that is not there is named."""
    path = tmp_path / "mine.toml"
    path.write_text(FILE, encoding="utf-8")

    assert "mine.toml 2026-11" == load_price_file(path).version
    with pytest.raises(PriceFileError, match=r"SPANWISE_PRICES_FILE: .*gone.toml cannot be read"):
        load_price_file(path.with_name("gone.toml"))


CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 10,
}
COST_COLUMNS = ("cost_input_n", "cost_output_n", "cost_total_n", "cost_source", "price_version", "counts_usage")


def bill(values: dict[str, object], *, scope: str = "any") -> tuple[object, ...]:
    """The cost columns of one span."""
    row = one_row(span(values=values), scope=scope)
    return tuple(row[name] for name in COST_COLUMNS)


COMPUTED = (mtok("2.5", 100), mtok("10", 10), mtok("2.5", 100) + mtok("10", 10), 2, LIST, True)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (CALL, COMPUTED),
        # The model that answered goes first, and where it is unknown the one that was asked for.
        (CALL | {"gen_ai.response.model": "gpt-4o-2024-05-13"}, (500_000, 150_000, 650_000, 2, LIST, True)),
        (CALL | {"gen_ai.response.model": "router-7"}, COMPUTED),
        (CALL | {"gen_ai.request.model": "own"}, (0, 0, 0, 0, "", True)),
        # A reported cost of nothing for tokens says that the client has no price.
        (CALL | {"llm.cost.total": 0}, COMPUTED),
        (CALL | {"llm.cost.total": 0.5}, (0, 0, 500_000_000, 1, "reported", True)),
        (
            CALL | {"llm.cost.total": "0.003", "llm.cost.prompt": 0.001, "llm.cost.completion": 0.002},
            (1_000_000, 2_000_000, 3_000_000, 1, "reported", True),
        ),
        (CALL | {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0}, (0, 0, 0, 0, "", True)),
        # Agents, chains and tools repeat what their calls say.
        (CALL | {"gen_ai.operation.name": "invoke_agent"}, (0, 0, 0, 0, "", False)),
        (CALL | {"gen_ai.operation.name": "execute_tool"}, (0, 0, 0, 0, "", False)),
        ({"gen_ai.operation.name": "chat"}, (0, 0, 0, 0, "", False)),
        ({"gen_ai.operation.name": "chat", "gen_ai.request.model": "own"}, (0, 0, 0, 0, "", True)),
    ],
)
def test_cost_of_a_span(values: dict[str, object], expected: tuple[object, ...]) -> None:
    """A reported cost wins, then the price list, then nothing; only calls of a model are computed."""
    assert expected == bill(values)


def test_scope_that_counts_without_cache() -> None:
    """For scopes whose input leaves cached tokens out they are added, so that the input includes them for all."""
    values = CALL | {"gen_ai.usage.cache_read.input_tokens": 640, "gen_ai.usage.cache_creation.input_tokens": 306}

    row = one_row(
        span(values=values | {"gen_ai.provider.name": "anthropic"}), scope="openlit.instrumentation.anthropic"
    )

    assert (100 + 640 + 306, 640, 306, []) == (
        row["tok_input"],
        row["tok_cache_read"],
        row["tok_cache_write"],
        row["warnings"],
    )


def counted(*calls: tuple[bytes, int, int, dict[str, object]]) -> list[tuple[bool, str]]:
    """Whether each of some calls (span id, start and end in ms, attributes) bears the bill, and why not."""
    spans = [
        span(
            values=CALL | {"gen_ai.response.id": "r1"} | values,
            span_id=span_id,
            start_ns=NOW_MS * 10**6 + start * 10**6,
            end_ns=NOW_MS * 10**6 + end * 10**6,
        )
        for span_id, start, end, values in calls
    ]
    found = rows(transform(record(traces(*spans))), "spans")
    return [(row["counts_usage"], row["usage_reason"]) for row in found]


ELSEWHERE = (False, "same_response")


def test_two_instrumentations_of_one_call() -> None:
    """Of spans that report the same answer at the same time the outermost bears the bill, in any order."""
    inner: tuple[bytes, int, int, dict[str, object]] = (b"inner000", 10, 90, {})
    outer: tuple[bytes, int, int, dict[str, object]] = (b"outer000", 0, 100, {})

    assert ([ELSEWHERE, (True, "")], [(True, ""), ELSEWHERE]) == (counted(inner, outer), counted(outer, inner))


def test_server_that_gives_every_answer_the_same_id() -> None:
    """Calls one after the other, or with other tokens, are calls of their own though their id is the same."""
    other: dict[str, object] = {"gen_ai.usage.output_tokens": 11}

    assert [(True, "")] * 3 == counted((b"first000", 0, 10, {}), (b"second00", 10, 20, {}), (b"third000", 5, 15, other))


def test_example_in_the_documentation() -> None:
    """The example file in docs/prices.md is a valid one."""
    page = (Path(__file__).parents[4] / "docs" / "prices.md").read_text(encoding="utf-8")
    _, example = page.split("```toml\n")
    book = PriceBook(parse_price_file(example.split("```")[0]))

    assert (mtok("0.1", 10), mtok("2", 6) + mtok("1", 4) + 1_000_000) == tuple(
        found.input
        for model, provider, usage in (
            ("llama-3.3-70b", "my-rack", Usage(10, 0)),
            ("gpt-4o", "openai", Usage(10, 0, cache_read=4)),
        )
        if (found := cost(model, usage, provider=provider, book=book))
    )


def test_names_longer_than_a_column() -> None:
    """A name that no column could hold is not looked up, nor remembered."""
    assert (None, None) == (cost("gpt-4o" * 1_000, Usage(1, 1)), cost("gpt-4o", Usage(1, 1), provider="p" * 257))
