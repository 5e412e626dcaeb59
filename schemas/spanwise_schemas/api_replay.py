"""API models of replays."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from spanwise_schemas.api import Model

ReplayPhase = Literal["rebuilding", "copying", "settling", "comparing", "ready", "catching up", "swapping", "done"]
ReplayState = Literal["running", "stopped", "failed"]


class ReplayRequest(Model):
    """What to rebuild, and how."""

    start: datetime = Field(alias="from", description="Batches with a record from here on, RFC 3339 with time zone.")
    end: datetime = Field(alias="to", description="And with a record before this; times are those of the records.")
    prices: str | None = Field(
        None,
        description="Text of a price file (TOML) to use; null: the collector's own (SPANWISE_PRICES_FILE).",
        max_length=1_000_000,
    )
    mask_patterns: str | None = Field(
        None,
        description="As SPANWISE_MASK_PATTERNS, instead of the collector's; null: the collector's.",
        max_length=100_000,
    )
    mask_keys: str | None = Field(
        None,
        description="As SPANWISE_MASK_KEYS, instead of the collector's; null: the collector's.",
        max_length=100_000,
    )


class ReplayedProject(Model):
    """What would become of a project's spans in that time. Costs are nano-dollars of calls that bear a bill."""

    project: str
    before: int = Field(description="Spans in use.")
    after: int = Field(description="Spans made anew.")
    added: int = Field(description="Spans that are not in use.")
    removed: int = Field(description="Spans in use that were not made anew.")
    changed: int = Field(description="Spans of which a column differs.")
    columns: dict[str, int] = Field(description="Column to the number of spans in which it differs.")
    bodies: int = Field(description="Spans whose inputs, outputs or events differ.")
    cost_before_nanousd: int
    cost_after_nanousd: int
    examples: list[str] = Field(description="Trace ids of a few spans that differ.")


class Replay(Model):
    """The replay that is there."""

    start: datetime
    end: datetime
    phase: ReplayPhase
    state: ReplayState = Field(description="Whether it is being worked on, stands still, or failed.")
    done: int = Field(description="Of the phase's items: records, or days.")
    total: int
    projects: list[ReplayedProject] = Field(description="What it would change; there from `ready` on.")
    failure: str = ""
