"""Turns on the GenAI instrumentors that are installed, through their entry points: no patching of clients by hand."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Final

from spanwise._guard import guard

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

logger: Final = logging.getLogger("spanwise")

GROUP: Final = "opentelemetry_instrumentor"

# Client libraries that talk to models, as OpenTelemetry's and OpenLLMetry's instrumentors name them; those of
# OpenInference all do.
LIBRARIES: Final = frozenset(
    [
        "agno",
        "aleph-alpha",
        "alephalpha",
        "anthropic",
        "autogen",
        "autogen-agentchat",
        "bedrock",
        "beeai",
        "chroma",
        "chromadb",
        "cohere",
        "crewai",
        "dspy",
        "google-genai",
        "google-generativeai",
        "groq",
        "guardrails",
        "haystack",
        "instructor",
        "lancedb",
        "langchain",
        "langgraph",
        "litellm",
        "llama-index",
        "llamaindex",
        "marqo",
        "mcp",
        "milvus",
        "mistralai",
        "ollama",
        "openai",
        "openai-agents",
        "pinecone",
        "portkey",
        "promptflow",
        "pydantic-ai",
        "qdrant",
        "replicate",
        "sagemaker",
        "smolagents",
        "strands",
        "together",
        "transformers",
        "vertexai",
        "voyageai",
        "watsonx",
        "weaviate",
        "writer",
    ]
)

# Where several are installed for one client, the first family here is used: two would report every call twice.
# OpenInference is first because it puts messages and cached tokens onto the span itself.
FAMILIES: Final = ("OpenInference", "OpenTelemetry", "OpenLLMetry")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An installed instrumentor for a model client."""

    library: str
    family: str
    package: str
    entry_point: EntryPoint


def instrument(
    wanted: bool | Iterable[str], provider: "TracerProvider", points: Iterable[EntryPoint] | None = None
) -> list[Candidate]:
    """Turn instrumentors on.

    Args:
        wanted: True for all, or names of client libraries ("openai") or of packages, for an exact choice.
        provider: what they write their spans to.
        points: entry points to choose from; by default the installed ones.

    Returns:
        Those that were turned on.
    """
    found = candidates(entry_points(group=GROUP) if points is None else points)
    done: list[Candidate] = []
    for choice in chosen(found, wanted):
        try:
            instrumentor: Any = choice.entry_point.load()()
            if getattr(instrumentor, "is_instrumented_by_opentelemetry", False):
                continue
            instrumentor.instrument(tracer_provider=provider, raise_exception_on_conflict=True)
        except Exception as error:  # its client may be missing, or of a version it does not know
            if type(error).__name__ == "DependencyConflictError":
                logger.info("Left %s off: %s", choice.package, error)
            else:
                guard.report(f"turn on {choice.package}", error)
            continue
        done.append(choice)
        others = [other.package for other in found if other.library == choice.library and other is not choice]
        logger.info(
            "Instrumented %s with %s%s",
            choice.library,
            choice.package,
            f"; left off: {', '.join(others)}" if others else "",
        )
    return done


def candidates(points: Iterable[EntryPoint]) -> list[Candidate]:
    """The instrumentors of model clients among some entry points."""
    found: list[Candidate] = []
    for point in points:
        distribution = point.dist
        if distribution is None:
            continue
        package = distribution.name.lower().replace("_", "-")
        family = _family(package, distribution)
        library = _library(package)
        if family == "OpenInference" or "-genai-" in package or library in LIBRARIES:
            found.append(Candidate(library, family, package, point))
    return found


def chosen(found: Iterable[Candidate], wanted: bool | Iterable[str]) -> list[Candidate]:
    """One instrumentor per client library: the one that was named, else the first family of `FAMILIES`."""
    names = None if isinstance(wanted, bool) else {name.lower().replace("_", "-") for name in wanted}
    best: dict[str, Candidate] = {}
    for candidate in sorted(found, key=lambda one: (FAMILIES.index(one.family), one.package)):
        named = names is not None and candidate.package in names
        if named or ((names is None or candidate.library in names) and candidate.library not in best):
            best[candidate.library] = candidate
    if names is not None:
        known = {name for candidate in best.values() for name in (candidate.library, candidate.package)}
        for name in sorted(names - known):
            logger.warning(
                "instrument=[%r]: no installed instrumentor has this name; try openinference-instrumentation-%s",
                name,
                name,
            )
    return list(best.values())


def _library(package: str) -> str:
    for prefix in (
        "openinference-instrumentation-",
        "opentelemetry-instrumentation-genai-",
        "opentelemetry-instrumentation-",
    ):
        if package.startswith(prefix):
            package = package.removeprefix(prefix)
            break
    return _SAME.get(package.removesuffix("-v2"), package.removesuffix("-v2"))


_SAME: Final[Mapping[str, str]] = {"llama-index": "llamaindex", "chroma": "chromadb"}


def _family(package: str, distribution: Distribution) -> str:
    if package.startswith("openinference-"):
        return "OpenInference"
    needs = " ".join(distribution.requires or ())
    return "OpenLLMetry" if "opentelemetry-semantic-conventions-ai" in needs else "OpenTelemetry"
