"""Spanwise's own names, where no convention has one."""

from typing import Final

from spanwise_schemas.conventions.model import Source

RULES: Final = (Source("fingerprint", "spanwise.fingerprint", "string"),)

RESOURCE_RULES: Final = (Source("project_id", "spanwise.project", "string"),)
