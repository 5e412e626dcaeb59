"""Spanwise's own names, where no convention has one."""

from typing import Final

from spanwise_schemas.conventions.model import Source

RULES: Final[tuple[Source, ...]] = ()

RESOURCE_RULES: Final = (Source("project_id", "spanwise.project", "string"),)
