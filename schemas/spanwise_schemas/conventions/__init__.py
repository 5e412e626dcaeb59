"""What Spanwise reads from spans: one table of attribute names, per field in order of precedence.

Each convention has a module here that lists its names; `table` puts them in order. The collector compiles its code path
from the table, `python -m spanwise_schemas.conventions_doc` writes docs/conventions.md from it, and `explain` shows
which of its rules gave a value. It is data and nothing else: a new convention is one more module with a few lines, and
no code where its readings exist already.
"""

from spanwise_schemas.conventions.model import PRECEDENCE, READINGS, Convention, Counting, Field, Reading, Source
from spanwise_schemas.conventions.table import (
    CALL_KINDS,
    FAILED_BY_EVENT,
    FIRST_TOKEN_EVENTS,
    RECOGNISED,
    RESOURCE_FIELDS,
    SPAN_FIELDS,
)

__all__ = [
    "CALL_KINDS",
    "FAILED_BY_EVENT",
    "FIRST_TOKEN_EVENTS",
    "PRECEDENCE",
    "READINGS",
    "RECOGNISED",
    "RESOURCE_FIELDS",
    "SPAN_FIELDS",
    "Convention",
    "Counting",
    "Field",
    "Reading",
    "Source",
]
