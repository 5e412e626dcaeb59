"""Names that every convention shares."""

from typing import Final

from spanwise_schemas.conventions.model import Source

RULES: Final = (
    Source("session_id", "session.id", "string"),
    Source("user_id", "user.id", "string"),
    Source("user_id", "enduser.id", "string"),
    Source("tags", "tag.tags", "strings"),
    Source("prompt_name", "gen_ai.prompt.name", "string"),
    Source("prompt_version", "gen_ai.prompt.version", "string"),
    Source("error_type", "error.type", "string"),
    Source("error_message", "error.message", "string"),
)

RESOURCE_RULES: Final = (
    Source("env", "deployment.environment.name", "string"),
    Source("env", "deployment.environment", "string"),
    Source("service", "service.name", "string"),
    Source("release", "service.version", "string"),
    Source("sdk_name", "telemetry.distro.name", "string"),
    Source("sdk_name", "telemetry.sdk.name", "string"),
    Source("sdk_version", "telemetry.distro.version", "string"),
    Source("sdk_version", "telemetry.sdk.version", "string"),
)
