"""Settings: arguments over environment over defaults; what can never work is refused with its remedy."""

import re
from pathlib import Path
from typing import Any

import pytest

import spanwise
from spanwise._config import SETTINGS, Config, load
from spanwise._runtime import state

DOCS = Path(__file__).parents[3] / "docs" / "sdk.md"


def test_defaults() -> None:
    """Without arguments and environment, Kafka on this machine."""
    config = load({}, {})

    assert (config.project, config.kafka, config.endpoint, config.exit_timeout_s) == (
        "default",
        "127.0.0.1:9092",
        None,
        3.0,
    )
    assert {setting.name for setting in SETTINGS} == set(Config.__slots__)


def test_arguments_win_over_environment_over_defaults() -> None:
    """Own variables win over OpenTelemetry's; an empty variable counts as not set."""
    environ = {
        "SPANWISE_PROJECT": "from-env",
        "SPANWISE_RELEASE": "",
        "SPANWISE_SERVICE": "mine",
        "OTEL_SERVICE_NAME": "otel",
        "SPANWISE_SAMPLE_RATE": "0.5",
        "SPANWISE_INSTRUMENT": "openai, anthropic",
        "SPANWISE_CAPTURE_CONTENT": "no",
        "SPANWISE_KAFKA_SECURITY_PROTOCOL": "sasl_ssl",
    }

    config = load({"project": "from-argument", "linger_ms": 5}, environ)

    assert (config.project, config.release, config.service, config.sample_rate) == ("from-argument", None, "mine", 0.5)
    assert (config.instrument, config.capture_content, config.linger_ms) == (("openai", "anthropic"), False, 5.0)
    assert config.kafka_security_protocol == "SASL_SSL"


def test_standard_otel_variables_choose_otlp_http() -> None:
    """An application that is set up for OpenTelemetry needs nothing else."""
    config = load(
        {}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/", "OTEL_EXPORTER_OTLP_HEADERS": "a=b%20c,d=e"}
    )

    assert (config.endpoint, config.headers) == ("http://collector:4318", (("a", "b c"), ("d", "e")))


@pytest.mark.parametrize(
    ("arguments", "environ", "endpoint"),
    [
        ({"kafka": "a:1"}, {"SPANWISE_ENDPOINT": "http://c"}, None),
        ({"endpoint": "http://c"}, {"SPANWISE_KAFKA": "a:1"}, "http://c"),
        ({}, {"SPANWISE_KAFKA": "a:1", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, None),
        ({}, {"SPANWISE_ENDPOINT": "http://c"}, "http://c"),
    ],
)
def test_the_nearer_of_kafka_and_endpoint_wins(
    arguments: dict[str, object], environ: dict[str, str], endpoint: str | None
) -> None:
    """An argument over a variable, an own variable over OpenTelemetry's."""
    assert load(arguments, environ).endpoint == endpoint


@pytest.mark.parametrize(
    ("arguments", "environ", "message"),
    [
        (
            {"kafka": "http://x:1"},
            {},
            "`kafka` is 'http://x:1': give host:port, more than one separated by commas; a URL goes into `endpoint`.",
        ),
        (
            {"kafka": "broker"},
            {},
            "`kafka` is 'broker': give host:port, more than one separated by commas; 'broker' is not host:port.",
        ),
        (
            {"endpoint": "broker:9092"},
            {},
            "give an address such as http://collector:4318; a Kafka broker goes into `kafka`.",
        ),
        ({"sample_rate": 2}, {}, "`sample_rate` is 2: give a number from 0 to 1"),
        ({}, {"SPANWISE_SAMPLE_RATE": "often"}, "SPANWISE_SAMPLE_RATE is 'often': give a number from 0 to 1"),
        ({"project": " "}, {}, "`project` is ' ': give a text that is not empty."),
        ({"mask": "x"}, {}, "`mask` is 'x': give a function"),
        ({"instrument": 3}, {}, '`instrument` is 3: give True, False, or names such as ["openai", "anthropic"].'),
        ({}, {"SPANWISE_HANDLE_SIGTERM": "maybe"}, "SPANWISE_HANDLE_SIGTERM is 'maybe': give true or false."),
        ({"kafka": "a:1", "endpoint": "http://c"}, {}, "`kafka` and `endpoint` are both set: keep the one to send to"),
        (
            {},
            {"SPANWISE_KAFKA": "a:1", "SPANWISE_ENDPOINT": "http://c"},
            "SPANWISE_KAFKA and SPANWISE_ENDPOINT are both set",
        ),
        ({"kafka_security_protocol": "TLS"}, {}, "use one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL."),
        (
            {},
            {"OTEL_EXPORTER_OTLP_HEADERS": "novalue"},
            "OTEL_EXPORTER_OTLP_HEADERS is the given value: give a dict, or text",
        ),
        ({"max_buffer_bytes": 1}, {}, "`max_buffer_bytes` is 1: give a number from 65536"),
    ],
)
def test_what_can_never_work_is_refused_with_its_remedy(
    arguments: dict[str, object], environ: dict[str, str], message: str
) -> None:
    """The message names the setting, the value and what to do; secrets are not repeated."""
    with pytest.raises(spanwise.ConfigurationError, match=re.escape(message)):
        load(arguments, environ)


def test_init_refuses_at_once_and_changes_nothing() -> None:
    """A wrong value is an error of the programmer, raised before anything is set up."""
    with pytest.raises(spanwise.ConfigurationError, match="a URL goes into `endpoint`"):
        spanwise.init(kafka="http://localhost:9092")

    assert state.runtime is None


@pytest.mark.parametrize("environ", [{"OTEL_SDK_DISABLED": "true"}, {"SPANWISE_ENABLED": "0"}])
def test_disabled_means_nothing_is_set_up(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Observed calls cost next to nothing and record nothing."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    spanwise.init(project="p")

    with spanwise.span("x") as span:
        assert span.trace_id == "0" * 32


def _row(setting: Any) -> str:
    variables = ", ".join(f"`{name}`" for name in setting.env) or "none"
    default = (
        "not set"
        if setting.default in {None, ()}
        else f"`{str(setting.default).lower() if isinstance(setting.default, bool) else setting.default}`"
    )
    if isinstance(setting.default, float):
        default = f"`{setting.default:g}`"
    return f"| `{setting.name}` | {variables} | {default} | {setting.doc} |"


def test_the_table_in_the_docs_is_the_table_in_the_code() -> None:
    """Every setting is documented, word for word."""
    text = DOCS.read_text()
    documented = re.findall(
        r"^\| `\w+` \| .*$", text.partition("## Configuration")[2].partition("\n## ")[0], re.MULTILINE
    )

    assert documented == [_row(setting) for setting in SETTINGS]
