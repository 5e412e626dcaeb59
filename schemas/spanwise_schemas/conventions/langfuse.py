"""Langfuse SDKs and its instrumentations."""

from typing import Final

from spanwise_schemas.conventions.model import Source

RULES: Final[tuple[Source, ...]] = ()
