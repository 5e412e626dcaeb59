"""The settings: one flat table, and how arguments, environment and defaults become one `Config`."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from spanwise._errors import ConfigurationError

if TYPE_CHECKING:
    from spanwise_schemas.masking_patterns import Pattern

Mask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table.

    Attributes:
        name: the argument of `spanwise.init`.
        env: environment variables, the first that is set wins. Empty: only an argument.
        default: when neither is given.
        parse: from text or argument to value; raises ValueError with the remedy.
        doc: a sentence for docs/sdk.md.
    """

    name: str
    env: tuple[str, ...]
    default: Any
    parse: Callable[[Any], Any]
    doc: str


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("give a text that is not empty")
    return value.strip()


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ValueError("give true or false")


def _number(value: object, low: float, high: float, unit: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"give a number from {low:g} to {high:g}{unit}")
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise ValueError(f"give a number from {low:g} to {high:g}{unit}")
    return number


def _rate(value: object) -> float:
    return _number(value, 0, 1, " (0.1 keeps every tenth trace)")


def _seconds(value: object) -> float:
    return _number(value, 0, 3600, " seconds")


def _milliseconds(value: object) -> float:
    return _number(value, 0, 60_000, " milliseconds")


def _bytes(value: object) -> int:
    return int(_number(value, 0, 2**31, " bytes"))


def _buffer_bytes(value: object) -> int:
    return int(_number(value, 65_536, 2**34, " bytes"))


def _servers(value: object) -> str:
    text = _text(value)
    if "://" in text:
        raise ValueError("give host:port, more than one separated by commas; a URL goes into `endpoint`")
    for server in text.split(","):
        host, colon, port = server.strip().rpartition(":")
        if not colon or not host or not port.isdigit() or not 0 < int(port) < 65_536:
            raise ValueError(f"give host:port, more than one separated by commas; {server.strip()!r} is not host:port")
    return text


def _url(value: object) -> str:
    text = _text(value).rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("give an address such as http://collector:4318; a Kafka broker goes into `kafka`")
    return text


def _mask(value: object) -> Mask:
    if not callable(value):
        raise ValueError("give a function that takes a text and returns the text to send")
    mask: Mask = value
    return mask


# Imported where they are needed: most processes mask nothing, and compiling the patterns takes time.
def _mask_patterns(value: object) -> "tuple[Pattern, ...]":
    from spanwise_schemas.masking_settings import read_patterns

    return read_patterns(value)


def _mask_keys(value: object) -> tuple[str, ...]:
    from spanwise_schemas.masking_settings import read_keys

    return read_keys(value)


def _instrument(value: object) -> bool | tuple[str, ...]:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return _flag(value)
        except ValueError:
            value = value.split(",")
    if isinstance(value, list | tuple | set | frozenset) and all(isinstance(name, str) for name in value):
        return tuple(name.strip() for name in value if name.strip())
    raise ValueError('give True, False, or names such as ["openai", "anthropic"]')


def _headers(value: object) -> tuple[tuple[str, str], ...]:
    if isinstance(value, Mapping):
        return tuple((str(key), str(item)) for key, item in value.items())
    pairs = []
    for part in str(value).split(","):
        key, equals, item = part.partition("=")
        if not part.strip():
            continue
        if not equals or not key.strip():
            raise ValueError("give a dict, or text such as key=value,other=value")
        pairs.append((unquote(key.strip()), unquote(item.strip())))
    return tuple(pairs)


def _as_is(value: object) -> object:
    return value


_KAFKA_SECURITY = "Same name and meaning as on the collector."

SETTINGS: Final = (
    Setting("project", ("SPANWISE_PROJECT",), "default", _text, "The project that traces belong to."),
    Setting(
        "kafka",
        ("SPANWISE_KAFKA",),
        "127.0.0.1:9092",
        _servers,
        "Kafka brokers to send to, `host:port`, more than one separated by commas.",
    ),
    Setting(
        "endpoint",
        ("SPANWISE_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        None,
        _url,
        "Send over OTLP/HTTP to this address instead of Kafka: `/v1/traces` and `/v1/logs` are added to it.",
    ),
    Setting("api_key", ("SPANWISE_API_KEY",), None, _text, "Sent to `endpoint` as `Authorization: Bearer ...`."),
    Setting(
        "headers",
        ("SPANWISE_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"),
        (),
        _headers,
        "More headers for `endpoint`: a dict, or `key=value,other=value`.",
    ),
    Setting("environment", ("SPANWISE_ENVIRONMENT",), None, _text, "For example `production` or `staging`."),
    Setting("release", ("SPANWISE_RELEASE",), None, _text, "Version of your application, to compare before and after."),
    Setting("service", ("SPANWISE_SERVICE", "OTEL_SERVICE_NAME"), None, _text, "Name of this service."),
    Setting(
        "sample_rate",
        ("SPANWISE_SAMPLE_RATE",),
        None,
        _rate,
        "Share of traces to keep, 0 to 1, always whole traces. Not set: `OTEL_TRACES_SAMPLER`, else all.",
    ),
    Setting("mask", (), None, _mask, "A function from text to text, run on everything captured before it is sent."),
    Setting(
        "mask_patterns",
        ("SPANWISE_MASK_PATTERNS",),
        (),
        _mask_patterns,
        "What to mask by its form: built-in names such as `email,credit_card`, or a JSON list that may hold regular "
        "expressions; see docs/masking.md. Same name and meaning as on the collector.",
    ),
    Setting(
        "mask_keys",
        ("SPANWISE_MASK_KEYS",),
        (),
        _mask_keys,
        "Attributes and JSON members to mask as a whole, such as `*password*,authorization`. Same name and meaning as "
        "on the collector.",
    ),
    Setting(
        "instrument",
        ("SPANWISE_INSTRUMENT",),
        False,
        _instrument,
        "Turn on installed GenAI instrumentors: true for all, or names separated by commas.",
    ),
    Setting(
        "enabled",
        ("SPANWISE_ENABLED",),
        True,
        _flag,
        "False: `init` does nothing. `OTEL_SDK_DISABLED=true` does the same.",
    ),
    Setting(
        "capture_content",
        ("SPANWISE_CAPTURE_CONTENT",),
        True,
        _flag,
        "False: Spanwise's own decorators, spans and responses record no inputs, outputs and messages.",
    ),
    Setting(
        "max_content_bytes",
        ("SPANWISE_MAX_CONTENT_BYTES",),
        65_536,
        _bytes,
        "Longest captured input or output, in bytes of UTF-8; the rest is cut off and the span says so.",
    ),
    Setting(
        "max_queue_bytes",
        ("SPANWISE_MAX_QUEUE_BYTES",),
        9_437_184,
        _buffer_bytes,
        "Bound of the queue between your calls and the background thread, estimated.",
    ),
    Setting(
        "max_buffer_bytes",
        ("SPANWISE_MAX_BUFFER_BYTES",),
        8_388_608,
        _buffer_bytes,
        "Bound of what waits, compressed, while the receiver is away; beyond it the oldest is dropped and counted.",
    ),
    Setting(
        "linger_ms", ("SPANWISE_LINGER_MS",), 200.0, _milliseconds, "How long a span waits for others to travel with."
    ),
    Setting(
        "put_timeout_ms",
        ("SPANWISE_PUT_TIMEOUT_MS",),
        100.0,
        _milliseconds,
        "Longest wait of one of your calls when the queue is full; then the span is dropped and counted.",
    ),
    Setting(
        "exit_timeout_s",
        ("SPANWISE_EXIT_TIMEOUT_S",),
        3.0,
        _seconds,
        "Longest wait at the end of the process and on SIGTERM for what is still to be sent.",
    ),
    Setting("handle_sigterm", ("SPANWISE_HANDLE_SIGTERM",), True, _flag, "Send what is pending when SIGTERM comes."),
    Setting(
        "propagate_threads",
        ("SPANWISE_PROPAGATE_THREADS",),
        True,
        _flag,
        "Work given to a `ThreadPoolExecutor` belongs to the span that gave it.",
    ),
    Setting(
        "kafka_security_protocol",
        ("SPANWISE_KAFKA_SECURITY_PROTOCOL",),
        "PLAINTEXT",
        _text,
        f"PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL. {_KAFKA_SECURITY}",
    ),
    Setting(
        "kafka_sasl_mechanism",
        ("SPANWISE_KAFKA_SASL_MECHANISM",),
        None,
        _text,
        f"PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. {_KAFKA_SECURITY}",
    ),
    Setting("kafka_sasl_username", ("SPANWISE_KAFKA_SASL_USERNAME",), None, _text, _KAFKA_SECURITY),
    Setting("kafka_sasl_password", ("SPANWISE_KAFKA_SASL_PASSWORD",), None, _text, _KAFKA_SECURITY),
    Setting(
        "kafka_ssl_cafile",
        ("SPANWISE_KAFKA_SSL_CAFILE",),
        None,
        _text,
        f"File of trusted certificates, PEM. {_KAFKA_SECURITY}",
    ),
    Setting(
        "tracer_provider",
        (),
        None,
        _as_is,
        "An OpenTelemetry SDK `TracerProvider` to join. Not given: the global one; if there is none, a new one.",
    ),
)
"""Every setting; docs/sdk.md shows this table and a test compares the two."""

SECURITY_PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of one process, checked. See `SETTINGS` for what each means."""

    project: str
    kafka: str
    endpoint: str | None
    api_key: str | None
    headers: tuple[tuple[str, str], ...]
    environment: str | None
    release: str | None
    service: str | None
    sample_rate: float | None
    mask: Mask | None
    mask_patterns: "tuple[Pattern, ...]"
    mask_keys: tuple[str, ...]
    instrument: bool | tuple[str, ...]
    enabled: bool
    capture_content: bool
    max_content_bytes: int
    max_queue_bytes: int
    max_buffer_bytes: int
    linger_ms: float
    put_timeout_ms: float
    exit_timeout_s: float
    handle_sigterm: bool
    propagate_threads: bool
    kafka_security_protocol: str
    kafka_sasl_mechanism: str | None
    kafka_sasl_username: str | None
    kafka_sasl_password: str | None
    kafka_ssl_cafile: str | None
    tracer_provider: object


def load(arguments: Mapping[str, object], environ: Mapping[str, str] = os.environ) -> Config:
    """Settle every setting: argument over environment over default.

    Args:
        arguments: what `init` was called with; None means not given.
        environ: environment variables; an empty one counts as not set, as in OpenTelemetry.

    Raises:
        ConfigurationError: a value can never work; the message names the setting and the remedy.
    """
    values: dict[str, Any] = {}
    origin: dict[str, int] = {}
    for setting in SETTINGS:
        values[setting.name], origin[setting.name] = _settle(setting, arguments, environ)
    _choose_transport(values, origin)
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        values["enabled"] = False
    protocol = values["kafka_security_protocol"] = values["kafka_security_protocol"].upper()
    if protocol not in SECURITY_PROTOCOLS:
        raise ConfigurationError(
            f"kafka_security_protocol (SPANWISE_KAFKA_SECURITY_PROTOCOL) is {protocol!r}: "
            f"use one of {', '.join(SECURITY_PROTOCOLS)}."
        )
    return Config(**values)


# Where a value came from; a lower number wins where two settings exclude each other.
_ARGUMENT, _OWN_VARIABLE, _STANDARD_VARIABLE, _DEFAULT = range(4)


def _settle(setting: Setting, arguments: Mapping[str, object], environ: Mapping[str, str]) -> tuple[Any, int]:
    given = arguments.get(setting.name)
    if given is not None:
        return _parsed(setting, f"`{setting.name}`", given), _ARGUMENT
    for variable in setting.env:
        text = environ.get(variable, "").strip()
        if text:
            rank = _OWN_VARIABLE if variable.startswith("SPANWISE_") else _STANDARD_VARIABLE
            return _parsed(setting, variable, text), rank
    return setting.default, _DEFAULT


def _parsed(setting: Setting, source: str, value: object) -> Any:
    try:
        return setting.parse(value)
    except ValueError as error:
        shown = "the given value" if setting.name in {"api_key", "headers", "kafka_sasl_password"} else repr(value)
        raise ConfigurationError(f"{source} is {shown}: {error}.") from None


def _choose_transport(values: dict[str, Any], origin: Mapping[str, int]) -> None:
    if values["endpoint"] is None or origin["kafka"] > origin["endpoint"]:
        return
    if origin["kafka"] < origin["endpoint"]:
        values["endpoint"] = None
        return
    where = "`kafka` and `endpoint`" if origin["kafka"] == _ARGUMENT else "SPANWISE_KAFKA and SPANWISE_ENDPOINT"
    raise ConfigurationError(f"{where} are both set: keep the one to send to and remove the other.")
