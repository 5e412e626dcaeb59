"""API models of repricing."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from spanwise_schemas.api import Model

RepriceState = Literal["running", "done", "failed"]


class RepriceRequest(Model):
    """What to compute anew."""

    start: datetime = Field(alias="from", description="Calls that start here or later, RFC 3339 with time zone.")
    end: datetime = Field(alias="to", description="Calls that start before this.")
    project: str = Field("", description="Only this project; empty: all.", max_length=200)
    prices: str | None = Field(
        None,
        description="Text of a price file (TOML) to use; null: the collector's own (SPANWISE_PRICES_FILE).",
        max_length=1_000_000,
    )
    apply: bool = Field(False, description="True writes; false shows what would change.")


class RepricedModel(Model):
    """What becomes of one model's calls. Costs are nano-dollars of calls that bear a bill."""

    model: str
    calls: int
    before_nanousd: int
    after_nanousd: int
    newly_priced_calls: int = Field(description="Calls that have a cost only under the new price list.")
    no_longer_priced_calls: int = Field(description="Calls that had a cost only under the old one.")
    price_versions: list[str] = Field(description="Price lists that the new costs are from.")


class Reprice(Model):
    """How far a repricing is, and what it found so far."""

    id: str
    state: RepriceState
    apply: bool
    project: str
    start: datetime
    end: datetime
    progress: float = Field(description="Share of the time range that is done, 0 to 1.")
    price_version: str
    models: list[RepricedModel]
    failure: str = ""
