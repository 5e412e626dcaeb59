"""`spanwise.init` and what it sets up: one client per process."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from spanwise import _exit, _fork, _threads
from spanwise._config import Config, load
from spanwise._guard import guard
from spanwise._runtime import Runtime, state
from spanwise._stats import Stats
from spanwise._transport import Transport
from spanwise_schemas import attributes as names

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from spanwise._eval_worker import EvalWorker
    from spanwise._mask import Masking
    from spanwise._pipeline import Pipeline
    from spanwise._processor import SpanwiseProcessor

logger: Final = logging.getLogger("spanwise")


class Client:
    """A configured Spanwise: provider, pipeline, and the hooks at exit and fork.

    Args:
        config: the settings.
        transport: makes the transport of a process from the settings and its producer id; tests give another.
    """

    def __init__(self, config: Config, transport: Callable[[Config, str], Transport] | None = None) -> None:
        self.config = config
        self.trace_bound: int | None = None  # on a joined provider: traces whose low 64 bits reach it are left out
        self._make_transport = transport or _transport_for
        self.pipeline = self._new_pipeline()
        self.evals = self._new_evals()

    def start(self, processors: "WeakKeyDictionary[TracerProvider, SpanwiseProcessor]") -> None:
        """Join the tracer provider, or make one, and begin to record.

        Args:
            processors: ours, by the provider they were added to.
        """
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

        from spanwise._processor import SpanwiseProcessor

        given = self.config.tracer_provider or trace.get_tracer_provider()
        made = not isinstance(given, TracerProvider)
        provider: TracerProvider = self._new_provider() if not isinstance(given, TracerProvider) else given
        known = processors.get(provider)
        if known is None:
            processors[provider] = SpanwiseProcessor(self)
            provider.add_span_processor(processors[provider])
        else:
            known.client = self
        if made:
            trace.set_tracer_provider(provider)
        elif self.config.sample_rate is not None:
            self.trace_bound = TraceIdRatioBased.get_bound_for_rate(self.config.sample_rate)
        self._begin(provider)
        if self.config.instrument:
            from spanwise._instrument import instrument

            instrument(self.config.instrument, provider)

    def _begin(self, provider: "TracerProvider") -> None:
        state.runtime = Runtime(
            tracer=provider.get_tracer("spanwise", _version()),
            sink=self.pipeline,
            capture_content=self.config.capture_content,
            max_content_bytes=self.config.max_content_bytes,
            samples_all=self.config.sample_rate in {None, 1.0},
            clock=None,
            new_score_id=lambda: uuid.uuid4().hex,
            evaluation=self.evals,
        )

    def _new_provider(self) -> "TracerProvider":
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

        from spanwise._sampling import CountingSampler

        rate = self.config.sample_rate
        provider = TracerProvider(
            resource=Resource.create({}),
            sampler=None if rate is None or rate == 1.0 else ParentBased(TraceIdRatioBased(rate)),
            shutdown_on_exit=False,
        )
        if provider.sampler.get_description() != _KEEPS_ALL:
            provider.sampler = CountingSampler(provider.sampler, lambda: self.pipeline.sampled_out())
        return provider

    def _new_pipeline(self) -> "Pipeline":
        from spanwise._pipeline import Pipeline, PipelineOptions

        config = self.config
        producer = uuid.uuid4().hex
        options = PipelineOptions(
            max_queue_bytes=config.max_queue_bytes,
            max_buffer_bytes=config.max_buffer_bytes,
            linger_s=config.linger_ms / 1000,
            put_timeout_s=config.put_timeout_ms / 1000,
            stamp=_stamp(config, producer),
            masking=_masking(config),
        )
        return Pipeline(options, self._make_transport(config, producer), producer=producer)

    def _new_evals(self) -> "EvalWorker":
        from spanwise._eval_worker import EvalWorker

        return EvalWorker(self.config.project, self.pipeline, keeps=self.keeps)

    def keeps(self, trace_id: int) -> bool:
        """Whether the spans of a trace are sent: on a joined provider, `sample_rate` leaves out some that it keeps."""
        return self.trace_bound is None or trace_id & _TRACE_ID_LIMIT < self.trace_bound

    def after_fork_in_child(self) -> None:
        """A forked child has a pipeline and a producer id of its own; what was pending stays with the parent."""
        self.pipeline.abandon()
        self.evals.abandon()
        self.pipeline = self._new_pipeline()
        self.evals = self._new_evals()
        runtime = state.runtime
        if runtime is not None:
            state.runtime = Runtime(
                tracer=runtime.tracer,
                sink=self.pipeline,
                capture_content=runtime.capture_content,
                max_content_bytes=runtime.max_content_bytes,
                samples_all=runtime.samples_all,
                clock=runtime.clock,
                new_score_id=runtime.new_score_id,
                evaluation=self.evals,
            )

    def flush(self, timeout_s: float) -> bool:
        """Wait until what was recorded so far is scored and sent; evaluators get half of the time.

        Returns:
            False when the time was up before.
        """
        deadline = time.monotonic() + timeout_s
        is_scored = self.evals.flush(timeout_s / 2)
        return self.pipeline.flush(max(0.0, deadline - time.monotonic())) and is_scored

    def close(self, timeout_s: float) -> None:
        """Send what is pending and stop recording."""
        deadline = time.monotonic() + timeout_s
        if state.runtime is not None and state.runtime.sink is self.pipeline:
            state.runtime = None
        self.evals.close(timeout_s / 2)
        self.pipeline.close(max(0.0, deadline - time.monotonic()))

    def stats(self) -> Stats:
        """What became of everything so far."""
        return replace(self.pipeline.stats(), evals=self.evals.stats())


# OpenTelemetry's ratio sampler decides by the low 64 bits; its own constant would load its SDK with `import spanwise`.
_TRACE_ID_LIMIT: Final = (1 << 64) - 1

# How OpenTelemetry's default sampler describes itself: every trace is kept, so there is nothing to count.
_KEEPS_ALL: Final = (
    "ParentBased{root:AlwaysOnSampler,remoteParentSampled:AlwaysOnSampler,remoteParentNotSampled:AlwaysOffSampler,"
    "localParentSampled:AlwaysOnSampler,localParentNotSampled:AlwaysOffSampler}"
)


def _stamp(config: Config, producer: str) -> dict[str, str]:
    pairs = (
        (names.PROJECT, config.project),
        (names.ENVIRONMENT, config.environment),
        (names.RELEASE, config.release),
        (names.SERVICE, config.service),
        (names.PRODUCER, producer),
        (names.DISTRO_NAME, "spanwise"),
        (names.DISTRO_VERSION, _version() or None),
    )
    return {name: value for name, value in pairs if value is not None}


def _masking(config: Config) -> "Masking | None":
    if config.mask is None and not config.mask_patterns and not config.mask_keys:
        return None
    from spanwise._mask import Masking
    from spanwise_schemas.masking import Masks

    masks = Masks(config.mask_patterns, config.mask_keys) if config.mask_patterns or config.mask_keys else None
    return Masking(config.mask, masks)


def _transport_for(config: Config, producer: str) -> Transport:
    if config.endpoint is not None:
        from spanwise._otlp_http import HttpOptions, OtlpHttpTransport

        headers = dict(config.headers)
        if config.api_key is not None:
            headers["Authorization"] = f"Bearer {config.api_key}"
        return OtlpHttpTransport(HttpOptions(endpoint=config.endpoint, headers=headers))
    from spanwise._kafka import KafkaOptions, KafkaTransport

    security = {
        "security_protocol": config.kafka_security_protocol,
        "sasl_mechanism": config.kafka_sasl_mechanism,
        "sasl_plain_username": config.kafka_sasl_username,
        "sasl_plain_password": config.kafka_sasl_password,
        "ssl_cafile": config.kafka_ssl_cafile,
    }
    return KafkaTransport(
        KafkaOptions(
            servers=config.kafka,
            client_id=f"spanwise-{producer}",
            security={name: value for name, value in security.items() if value is not None},
        )
    )


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("spanwise")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return ""


class _Process:
    """The client of this process, and which providers we have joined."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.client: Client | None = None
        self.processors: WeakKeyDictionary[TracerProvider, SpanwiseProcessor] = WeakKeyDictionary()

    def after_fork_in_child(self) -> None:
        self.lock = threading.RLock()
        if self.client is not None:
            self.client.after_fork_in_child()


process: Final = _Process()


def init(
    *,
    project: str | None = None,
    kafka: str | None = None,
    endpoint: str | None = None,
    api_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    environment: str | None = None,
    release: str | None = None,
    service: str | None = None,
    sample_rate: float | None = None,
    mask: Callable[[str], str] | None = None,
    mask_patterns: str | Sequence[str | Mapping[str, str]] | None = None,
    mask_keys: str | Sequence[str] | None = None,
    instrument: bool | Sequence[str] | None = None,
    enabled: bool | None = None,
    capture_content: bool | None = None,
    max_content_bytes: int | None = None,
    max_queue_bytes: int | None = None,
    max_buffer_bytes: int | None = None,
    linger_ms: float | None = None,
    put_timeout_ms: float | None = None,
    exit_timeout_s: float | None = None,
    handle_sigterm: bool | None = None,
    propagate_threads: bool | None = None,
    kafka_security_protocol: str | None = None,
    kafka_sasl_mechanism: str | None = None,
    kafka_sasl_username: str | None = None,
    kafka_sasl_password: str | None = None,
    kafka_ssl_cafile: str | None = None,
    tracer_provider: Any = None,
) -> None:
    """Set Spanwise up. Returns at once, whether or not the receiver can be reached.

    Each argument that is not given comes from its environment variable, then from its default; docs/sdk.md has the
    table. Called again, the new settings replace the old ones.

    Raises:
        ConfigurationError: a setting has a value that can never work; the message names it and the remedy.
    """
    config = load(locals())
    if not config.enabled:
        shutdown()
        return
    start_client(Client(config))


def start_client(client: Client) -> None:
    """Make a client the process's own, in place of one that is running."""
    with process.lock:
        if process.client is not None:
            shutdown()
        process.client = client
    try:
        client.start(process.processors)
        _fork.install(process)
        _exit.install(process, handle_sigterm=client.config.handle_sigterm)
        if client.config.propagate_threads:
            _threads.install()
    except Exception as error:
        guard.report("start", error)


def flush(timeout_s: float | None = None) -> bool:
    """Wait until everything recorded so far is scored by its evaluators and sent.

    Args:
        timeout_s: longest wait in seconds; by default the setting `exit_timeout_s`.

    Returns:
        False when the time was up before; sending goes on in the background.
    """
    client = process.client
    if client is None:
        return True
    return client.flush(client.config.exit_timeout_s if timeout_s is None else timeout_s)


def shutdown(timeout_s: float | None = None) -> None:
    """Send what is pending and stop. Called by itself at exit; spans that end later are counted as dropped.

    Args:
        timeout_s: longest wait in seconds; by default the setting `exit_timeout_s`.
    """
    with process.lock:
        client, process.client = process.client, None
    if client is None:
        return
    _last.client = client
    _threads.uninstall()
    client.close(client.config.exit_timeout_s if timeout_s is None else timeout_s)


class _Last:
    """The client that was shut down last, so that `stats` can still tell what became of everything."""

    client: Client | None = None


_last: Final = _Last()


def stats() -> Stats:
    """What became of the telemetry of this process; zeros before `init`."""
    client = process.client or _last.client
    return Stats() if client is None else client.stats()
