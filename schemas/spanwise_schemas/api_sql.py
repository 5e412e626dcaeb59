"""API models of SQL."""

from typing import Any

from pydantic import Field

from spanwise_schemas.api import Model


class SqlQuery(Model):
    """A question in SQL."""

    query: str = Field(description="One SELECT over the tables that `GET /api/v1/sql/tables` names.", max_length=20_000)
    limit: int | None = Field(
        None, description="Rows of the answer at most; no more than SPANWISE_SQL_ROWS, the default.", ge=1, le=1_000_000
    )


class SqlColumn(Model):
    """A column of an answer, or of a table."""

    name: str
    type: str = Field(description="ClickHouse's type.")


class SqlAnswer(Model):
    """Rows, in the order of the query."""

    columns: list[SqlColumn]
    rows: list[list[Any]] = Field(
        description="A list per row: times as RFC 3339 in UTC, bytes as hex, numbers that are none as null."
    )
    is_cut: bool = Field(description="Whether there were more rows than the limit.")
    seconds: float = Field(description="How long the engine took.")


class SqlTable(Model):
    """A table that can be asked."""

    name: str
    about: str
    columns: list[SqlColumn]


class SqlTables(Model):
    """What can be asked."""

    tables: list[SqlTable]
