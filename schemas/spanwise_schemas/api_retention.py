"""Answer of /api/v1/retention: how long what is kept."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from spanwise_schemas.api import Model


class Kept(Model):
    """One part of what is stored of a project."""

    what: Literal["spans", "contents", "scores", "rollups"]
    days: int | None = Field(description="Days that it is kept; null: until it is deleted.")
    set_by: Literal["file", "setting", "tables"] = Field(
        description="What says so: SPANWISE_RETENTION_FILE, SPANWISE_RETENTION_DAYS, or the tables themselves."
    )
    tables: list[str]
    oldest: datetime | None = Field(None, description="Of the oldest row that is there; null for none.")


class Retention(Model):
    """How long what is kept of a project."""

    project: str
    items: list[Kept]
