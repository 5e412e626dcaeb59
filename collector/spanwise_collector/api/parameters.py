"""Parameters that several endpoints share, and documentation for all of them."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Path, Query

from spanwise_schemas.api import Problem

Project = Annotated[str, Query(description="Project whose data is read; others are never seen.", max_length=200)]
From = Annotated[
    datetime | None,
    Query(alias="from", description="Start of the time range, RFC 3339 with time zone. Default: 24 hours before `to`."),
]
To = Annotated[
    datetime | None, Query(alias="to", description="End of the time range (not inside it), RFC 3339. Default: now.")
]
Environments = Annotated[
    tuple[str, ...], Query(alias="environment", description="Environment; repeat for alternatives.", max_length=100)
]
Names = Annotated[tuple[str, ...], Query(alias="name", description="Name; repeat for alternatives.", max_length=100)]
Models = Annotated[
    tuple[str, ...],
    Query(
        alias="model",
        description="Model that answered, else the one asked for; repeat for alternatives.",
        max_length=100,
    ),
]
TraceId = Annotated[str, Path(description="Trace id, 32 hex digits.", pattern="^[0-9a-fA-F]{32}$")]
SpanId = Annotated[str, Path(description="Span id, 16 hex digits.", pattern="^[0-9a-fA-F]{16}$")]

_MEANING: Final = {
    400: "A value cannot be used: the time range, the cursor, the search.",
    401: "An API key is needed; `spanwise keys create` makes one.",
    403: "The API key may not do this.",
    404: "There is no such trace or span in the project.",
    409: "Another one is under way, or somebody was quicker.",
    413: "The request is too large.",
    422: "A parameter is malformed; `errors` has one entry for each.",
    429: "Too much is in flight; try again in a moment.",
    501: "This collector does not write to Kafka; ask one with the role otlp.",
    503: "ClickHouse does not answer now; try again.",
    504: "The query took more time or memory than it may; narrow the time range.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of an endpoint, for its description."""
    return {
        status: {
            "model": Problem,
            "description": _MEANING[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }
