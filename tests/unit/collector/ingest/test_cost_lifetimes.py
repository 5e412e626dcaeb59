"""Cache writes cost by how long they are kept."""

from spanwise_collector.ingest.cost import PriceBook, Usage
from spanwise_collector.ingest.price_file import parse_price_file

NOON_US = 1_795_348_800_000_000
OWN = """
[[models]]
model = "mine"
input = 1
output = 2
cache_write = 3
"""


def input_cost(book: PriceBook, model: str, usage: Usage) -> int:
    """Nano-dollars of the input."""
    unit = book.price("anthropic", model, NOON_US)
    assert unit is not None
    cost = unit.cost(usage)
    assert cost is not None
    return cost.input


def test_an_hour() -> None:
    """Anthropic's list: 1 USD per million, 1.25 written for five minutes, 2 written for an hour."""
    usage = Usage(input=1_000, output=0, cache_write=600, cache_write_1h=200)

    assert 400 * 1_000 + 400 * 1_250 + 200 * 2_000 == input_cost(PriceBook(), "claude-haiku-4-5", usage)


def test_more_than_was_written() -> None:
    """A part that is said to be more than the whole counts as the whole."""
    usage = Usage(input=1_000, output=0, cache_write=600, cache_write_1h=900)

    assert 400 * 1_000 + 600 * 2_000 == input_cost(PriceBook(), "claude-haiku-4-5", usage)


def test_own_prices() -> None:
    """Without a price of its own, an hour costs what other cache writes cost; with one, that."""
    usage = Usage(input=1_000, output=0, cache_write=600, cache_write_1h=200)
    found = [
        input_cost(PriceBook(parse_price_file(text)), "mine", usage) for text in (OWN, OWN + "cache_write_1h = 5\n")
    ]

    assert [400 * 1_000 + 600 * 3_000, 400 * 1_000 + 400 * 3_000 + 200 * 5_000] == found
