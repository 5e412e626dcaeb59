"""Names of the attributes that Spanwise writes.

Names come from the OpenTelemetry GenAI semantic conventions (schema gen-ai/1.42.0) where they have one, then from
OpenInference, which most instrumentations and viewers share; `spanwise.*` is used only where neither has a name.
What Spanwise *reads* from other instrumentations is the larger table in `spanwise_schemas.conventions`.
"""

from typing import Final, Literal, get_args

# Resource: who sent it.
PROJECT: Final = "spanwise.project"
ENVIRONMENT: Final = "deployment.environment.name"
RELEASE: Final = "service.version"
SERVICE: Final = "service.name"
PRODUCER: Final = "service.instance.id"
DISTRO_NAME: Final = "telemetry.distro.name"
DISTRO_VERSION: Final = "telemetry.distro.version"

# Context, on every span below the call that set it.
SESSION_ID: Final = "session.id"
USER_ID: Final = "user.id"
USER_GROUP: Final = "spanwise.user.group"  # no convention has one; `user.roles` is what a user may do
TAGS: Final = "tag.tags"  # OpenInference; an array of strings
METADATA_PREFIX: Final = "spanwise.metadata."
PROMPT_NAME: Final = "gen_ai.prompt.name"
PROMPT_VERSION: Final = "llm.prompt_template.version"  # OpenInference; GenAI has no version

# What a span did.
OPERATION: Final = "gen_ai.operation.name"
SPAN_KIND: Final = "openinference.span.kind"  # written only where GenAI has no operation name for the kind
INPUT: Final = "input.value"  # OpenInference; text, or JSON with the MIME type beside it
INPUT_MIME: Final = "input.mime_type"
OUTPUT: Final = "output.value"
OUTPUT_MIME: Final = "output.mime_type"
MIME_JSON: Final = "application/json"
MIME_TEXT: Final = "text/plain"
TRUNCATED: Final = "spanwise.truncated"  # array: which of "input", "output" were cut to the size limit
AGENT_NAME: Final = "gen_ai.agent.name"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_RESULT: Final = "gen_ai.tool.call.result"
RETRIEVAL_QUERY: Final = "gen_ai.retrieval.query.text"
RETRIEVAL_DOCUMENTS: Final = "gen_ai.retrieval.documents"
ERROR_TYPE: Final = "error.type"
FINGERPRINT: Final = "spanwise.fingerprint"  # of a failure: spans with the same text are one problem

# A model call.
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
TTFT: Final = "gen_ai.response.time_to_first_chunk"  # seconds, float
STREAM: Final = "gen_ai.request.stream"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"  # includes cached tokens
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"  # includes reasoning tokens
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
# The GenAI conventions have no name for it; this is what the package `anthropic` writes in spans of its own.
CACHE_WRITE_1H_TOKENS: Final = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
COST: Final = "llm.cost.total"  # OpenInference; USD, what the caller says the call cost

# Scores: log records with this event name.
SCORE_EVENT: Final = "gen_ai.evaluation.result"
SCORE_NAME: Final = "gen_ai.evaluation.name"
SCORE_VALUE: Final = "gen_ai.evaluation.score.value"
SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
SCORE_EXPLANATION: Final = "gen_ai.evaluation.explanation"
SCORE_ID: Final = "spanwise.score.id"  # 32 hex digits; the same id sent again replaces the score
SCORE_SOURCE: Final = "spanwise.score.source"  # code | llm (or judge) | human (or person) | user
SCORE_EVALUATOR: Final = "spanwise.score.evaluator"
SCORE_EVALUATOR_VERSION: Final = "spanwise.score.evaluator_version"
SCORE_INCLUSION: Final = "spanwise.score.inclusion_probability"  # in (0, 1]: with which its target was chosen
SCORE_STRATUM: Final = "spanwise.score.stratum"  # out of which it was chosen
SCORE_DELETED: Final = "spanwise.score.is_deleted"  # true takes the score of this id back

# A run of an experiment's task on one item of a dataset.
EXPERIMENT_ID: Final = "spanwise.experiment.id"
EXPERIMENT_NAME: Final = "spanwise.experiment.name"
EXPERIMENT_DATASET: Final = "spanwise.experiment.dataset"
EXPERIMENT_ITEM: Final = "spanwise.experiment.item.id"
EXPERIMENT_REPEAT: Final = "spanwise.experiment.repeat"  # from 0

OPERATION_OF_KIND: Final[dict[str, str]] = {
    "llm": "chat",
    "embedding": "embeddings",
    "tool": "execute_tool",
    "agent": "invoke_agent",
    "retriever": "retrieval",
    "chain": "invoke_workflow",
}
"""Span kind to `gen_ai.operation.name`, for the kinds that have one."""

Kind = Literal[
    "other",
    "llm",
    "embedding",
    "tool",
    "agent",
    "chain",
    "retriever",
    "reranker",
    "guardrail",
    "evaluator",
    "prompt",
    "event",
]
"""What kind of work a span did."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""Every span kind; the position is the number stored in ClickHouse (Enum8)."""
