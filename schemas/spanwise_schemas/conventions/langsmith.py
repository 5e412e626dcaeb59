"""LangSmith SDK, exported as OTLP."""

from typing import Final

from spanwise_schemas.conventions.model import Source

RULES: Final[tuple[Source, ...]] = ()
