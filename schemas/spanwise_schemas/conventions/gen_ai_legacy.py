"""Names that OpenTelemetry's GenAI conventions had before, which released instrumentations still write."""

from typing import Final

from spanwise_schemas.conventions.model import Source

RULES: Final = (
    Source("provider", "gen_ai.system", "provider"),
    Source("input", "gen_ai.prompt.*", "indexed_messages"),
    Source("input", "gen_ai.prompt", "body"),
    Source("output", "gen_ai.completion.*", "indexed_messages"),
    Source("output", "gen_ai.completion", "body"),
    Source("tok_input", "gen_ai.usage.prompt_tokens", "count"),
    Source("tok_output", "gen_ai.usage.completion_tokens", "count"),
    Source("tok_total", "gen_ai.usage.total_tokens", "count"),
    Source("ttft_us", "gen_ai.server.time_to_first_token", "seconds"),
    # Strands writes whole milliseconds under a name that means seconds.
    Source("ttft_us", "gen_ai.server.time_to_first_token", "milliseconds", scopes=("strands",), first=True),
)
