"""`instrument=` turns on installed GenAI instrumentors through their entry points, one per client library."""

import logging
from collections.abc import Iterator
from importlib.metadata import Distribution, EntryPoint
from typing import Any

import openai
import pytest
from openinference.instrumentation.openai import OpenAIInstrumentor

import spanwise
from spanwise import _instrument
from tests.support.model_server import model_server
from tests.unit.sdk.conftest import Start


class FakeDistribution(Distribution):
    """A package that is only a name and its requirements."""

    def __init__(self, name: str, *requires: str) -> None:
        self._name, self._requires = name, requires

    def read_text(self, filename: str) -> str:
        lines = [f"Name: {self._name}", "Version: 1", *(f"Requires-Dist: {line}" for line in self._requires)]
        return "Metadata-Version: 2.1\n" + "\n".join(lines) + "\n" if filename == "METADATA" else ""

    def locate_file(self, path: Any) -> Any:
        raise FileNotFoundError(path)


def point(package: str, *requires: str, value: str = "tests.unit.sdk.test_instrument:Recorder") -> EntryPoint:
    """An installed instrumentor."""
    made = EntryPoint(package, value, _instrument.GROUP)
    vars(made)["dist"] = FakeDistribution(package, *requires)
    return made


class Recorder:
    """An instrumentor that remembers being turned on."""

    calls: list[dict[str, Any]] = []  # noqa: RUF012 (shared on purpose)

    def instrument(self, **kwargs: Any) -> None:
        self.calls.append(kwargs)


@pytest.fixture(autouse=True)
def no_calls() -> None:
    """Each test starts with none."""
    Recorder.calls.clear()


INSTALLED = (
    point("opentelemetry-instrumentation-openai", "opentelemetry-semantic-conventions-ai>=0.4"),
    point("opentelemetry-instrumentation-openai-v2"),
    point("openinference-instrumentation-openai"),
    point("opentelemetry-instrumentation-anthropic", "opentelemetry-semantic-conventions-ai>=0.4"),
    point("opentelemetry-instrumentation-genai-weaviate"),
    point("openinference-instrumentation-llama-index"),
    point("opentelemetry-instrumentation-requests"),
    point("opentelemetry-instrumentation-kafka-python"),
)


def test_all_means_one_per_client_library_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    """Instrumentors of web frameworks and brokers stay off; what was left off is said."""
    caplog.set_level(logging.INFO, "spanwise")
    provider: Any = object()

    done = _instrument.instrument(True, provider, INSTALLED)

    assert [(one.library, one.package) for one in done] == [
        ("llamaindex", "openinference-instrumentation-llama-index"),
        ("openai", "openinference-instrumentation-openai"),
        ("weaviate", "opentelemetry-instrumentation-genai-weaviate"),
        ("anthropic", "opentelemetry-instrumentation-anthropic"),
    ]
    assert [call["tracer_provider"] for call in Recorder.calls] == [provider] * 4
    assert (
        "Instrumented openai with openinference-instrumentation-openai; left off: "
        "opentelemetry-instrumentation-openai, opentelemetry-instrumentation-openai-v2"
    ) in caplog.text


def test_names_choose_a_library_or_an_exact_package(caplog: pytest.LogCaptureFixture) -> None:
    """A package's name wins over the order of preference; an unknown name is told."""
    provider: Any = object()

    done = _instrument.instrument(
        ["opentelemetry-instrumentation-openai-v2", "anthropic", "nothing"], provider, INSTALLED
    )

    assert {one.package for one in done} == {
        "opentelemetry-instrumentation-openai-v2",
        "opentelemetry-instrumentation-anthropic",
    }
    assert "instrument=['nothing']: no installed instrumentor has this name" in caplog.text


@pytest.fixture
def address() -> Iterator[str]:
    """A model server; the instrumentor is off again afterwards."""
    with model_server() as found:
        yield found
    if OpenAIInstrumentor().is_instrumented_by_opentelemetry:
        OpenAIInstrumentor().uninstrument()


def test_the_installed_openai_instrumentor_records_into_our_trace(address: str, start: Start) -> None:
    """With the real OpenInference package and the real client: its span is a child of ours and carries the session."""
    fake = start(instrument=True)

    with (
        openai.OpenAI(api_key="none", base_url=f"{address}/v1", max_retries=0) as client,
        spanwise.session("s-1"),
        spanwise.span("outer"),
    ):
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
    assert spanwise.flush(10)

    spans = {span.name: span for span in fake.spans()}
    assert set(spans) == {"ChatCompletion", "outer"}
    attributes = {pair.key: pair.value for pair in spans["ChatCompletion"].attributes}
    assert spans["ChatCompletion"].parent_span_id == spans["outer"].span_id
    assert attributes["session.id"].string_value == "s-1"
    assert attributes["llm.token_count.prompt"].int_value == 211
