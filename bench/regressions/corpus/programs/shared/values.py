"""Values that differ from one error to the next, drawn from a template's own seed."""

import random
import string
from typing import Final

NAMES: Final = (
    "orders",
    "users",
    "invoices",
    "customers",
    "weather",
    "billing",
    "search",
    "summary",
    "planner",
    "router",
    "checkout",
    "inventory",
    "shipments",
    "answers",
    "sessions",
    "documents",
    "tickets",
    "payments",
    "refunds",
    "catalogue",
)
COLUMNS: Final = (
    "user_id",
    "created_at",
    "total",
    "city",
    "email",
    "order_number",
    "price",
    "quantity",
    "status",
    "first_name",
    "is_active",
    "amount",
    "sku",
    "country",
    "temperature",
)
ALNUM: Final = string.ascii_letters + string.digits


class Values:
    """Draws values; the same template and number give the same ones."""

    def __init__(self, template: str, number: int) -> None:
        self.rng = random.Random(f"{template} {number}")

    def one_of(self, *choices: str) -> str:
        """One of the choices."""
        return self.rng.choice(choices)

    def n(self, low: int, high: int) -> int:
        """A whole number from low to high."""
        return self.rng.randint(low, high)

    def id(self, prefix: str, length: int = 24) -> str:
        """An id as providers make them."""
        return prefix + "".join(self.rng.choice(ALNUM) for _ in range(length))

    def hex(self, length: int) -> str:
        """Hexadecimal digits."""
        return "".join(self.rng.choice("0123456789abcdef") for _ in range(length))

    @property
    def name(self) -> str:
        """A word an application might name something by; now and then with another word or a number."""
        word = self.rng.choice(NAMES)
        return self.rng.choice((word, word, f"{word}_{self.rng.choice(NAMES)}", f"{word}{self.n(1, 99)}"))

    @property
    def column(self) -> str:
        """A column or field."""
        return self.rng.choice(COLUMNS)

    @property
    def host(self) -> str:
        """A host name or address."""
        return self.rng.choice((f"{self.rng.choice(NAMES)}.example.com", f"10.{self.n(0, 255)}.{self.n(0, 255)}.7"))

    @property
    def file(self) -> str:
        """A path below a folder that does not exist."""
        return f"/nowhere/{self.name}/{self.name}.{self.one_of('json', 'txt', 'csv', 'parquet')}"

    @property
    def gpt(self) -> str:
        """A model of OpenAI."""
        return self.one_of("gpt-4o", "gpt-4o-mini", "gpt-4.1", "o3", "o4-mini", "gpt-4o-2024-08-06", "gpt-5")

    @property
    def claude(self) -> str:
        """A model of Anthropic."""
        return self.one_of("claude-sonnet-4-5", "claude-3-5-haiku-20241022", "claude-opus-4-1", "claude-haiku-4-5")

    @property
    def gemini(self) -> str:
        """A model of Google."""
        return self.one_of("gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.0-flash-lite", "gemini-3-pro-preview")
