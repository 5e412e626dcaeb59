"""Pydantic AI and Logfire."""

from typing import Final

from spanwise_schemas.conventions.model import Source

RULES: Final = (Source("cost_total", "operation.cost", "usd"),)
