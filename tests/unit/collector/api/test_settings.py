"""Settings: defaults, environment, and errors that name the variable and say what to write."""

from pathlib import Path

import pytest

from spanwise_collector.settings import PREFIX, Settings, SettingsError, load


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def test_the_defaults_are_a_collector_on_this_machine() -> None:
    """Everything in one process, on the loopback address."""
    settings = load()
    assert (settings.role, settings.host) == (frozenset({"ingest", "api", "otlp", "alerts", "evals"}), "127.0.0.1")
    assert (settings.port, settings.grpc_port) == (4318, 4317)
    assert (settings.kafka, settings.assignment, settings.partitions) == ("127.0.0.1:9092", "group", "all")


def test_every_setting_says_what_it_is() -> None:
    """The documentation is made from these sentences."""
    missing = [
        name
        for name, field in Settings.model_fields.items()
        if not (field.description or "").endswith((".", "(1 GiB)."))
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("variable", "value", "field", "read"),
    [
        ("ROLE", "api", "role", frozenset({"api"})),
        ("ROLE", " ingest , api", "role", frozenset({"ingest", "api"})),
        ("ROLE", "alerts", "role", frozenset({"alerts"})),
        ("ROLE", "all", "role", frozenset({"ingest", "api", "otlp", "alerts", "evals"})),
        ("GRPC_PORT", "0", "grpc_port", 0),
        ("GRPC_PORT", "off", "grpc_port", None),
        ("GRPC_PORT", "", "grpc_port", None),
        ("KEYS_FILE", "", "keys_file", None),
        ("KEYS_FILE", "/not/there/yet.toml", "keys_file", Path("/not/there/yet.toml")),
        ("ALERTS_FILE", "", "alerts_file", None),
        ("ALERTS_SECONDS", "0", "alerts_seconds", 0),
        ("ALERTS_BUILT_IN", "false", "alerts_built_in", False),
        ("ALERTS_PRIVATE_NETWORKS", "10.0.0.0/8, ::1", "alerts_private_networks", "10.0.0.0/8, ::1"),
        ("DASHBOARD_URL", "https://spanwise.example/", "dashboard_url", "https://spanwise.example"),
        ("KAFKA", "a:1, b:2", "kafka", "a:1,b:2"),
        ("PARTITIONS", "0,3", "partitions", "0,3"),
        ("PRICES_FILE", "", "prices_file", None),
        ("BATCH_SECONDS", "0.5", "batch_seconds", 0.5),
        ("CLICKHOUSE", "https://u:p@h/d", "clickhouse", "https://u:p@h/d"),
    ],
)
def test_a_variable_sets_its_setting(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, field: str, read: object
) -> None:
    """Variables have the prefix SPANWISE_; lists are separated by commas; empty file names mean none."""
    monkeypatch.setenv(PREFIX + variable, value)
    assert getattr(load(), field) == read


def test_an_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command line option beats a variable."""
    monkeypatch.setenv("SPANWISE_PORT", "1")
    assert load(port=2).port == 2


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("PORT", "65536", "SPANWISE_PORT: .*65535.*TCP port"),
        ("ROLE", "evil", "SPANWISE_ROLE: write all, ingest, api, otlp, alerts or evals.*'evil'"),
        ("ROLE", " ", "SPANWISE_ROLE: write all"),
        ("ALERTS_PRIVATE_NETWORKS", "10.0.0.1/8", "SPANWISE_ALERTS_PRIVATE_NETWORKS: '10.0.0.1/8' is no network"),
        ("DASHBOARD_URL", "spanwise.example", "SPANWISE_DASHBOARD_URL: write an address that begins with https"),
        ("KAFKA", "broker", "SPANWISE_KAFKA: write host:port.*'broker'"),
        ("KAFKA", "a:1,b", "SPANWISE_KAFKA: write host:port.*'b'"),
        ("CLICKHOUSE", "tcp://h", "SPANWISE_CLICKHOUSE: .*starts with chdb://"),
        ("CLICKHOUSE_CLUSTER", "a b", "SPANWISE_CLICKHOUSE_CLUSTER"),
        ("CLICKHOUSE_CLUSTER", "main", "SPANWISE_CLICKHOUSE_CLUSTER needs a ClickHouse server in SPANWISE_CLICKHOUSE"),
        ("PARTITIONS", "0;1", "SPANWISE_PARTITIONS"),
        ("PRICES_FILE", "/nowhere.json", "SPANWISE_PRICES_FILE: there is no file /nowhere.json"),
        (
            "KAFKA_SECURITY_PROTOCOL",
            "SASL_SSL",
            "SPANWISE_KAFKA_SECURITY_PROTOCOL=SASL_SSL needs SPANWISE_KAFKA_SASL_USERNAME",
        ),
        ("TOPIC_REPLICATION", "0", "SPANWISE_TOPIC_REPLICATION: write -1 for the brokers' default"),
        ("GRPC_PORT", "no", "SPANWISE_GRPC_PORT: .*integer.*`off` leaves it out"),
        (
            "OTLP_IN_FLIGHT_BYTES",
            "20000000",
            "SPANWISE_OTLP_IN_FLIGHT_BYTES is less than SPANWISE_OTLP_BODY_BYTES and SPANWISE_OTLP_DECODED_BYTES",
        ),
        ("BATCH_ROWS", "many", "SPANWISE_BATCH_ROWS: .*integer"),
    ],
)
def test_a_wrong_value_names_the_variable_and_the_remedy(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    """What is wrong, and what to write instead."""
    monkeypatch.setenv(PREFIX + variable, value)
    with pytest.raises(SettingsError, match=says):
        load()


def test_every_wrong_value_is_named_at_once_and_no_secret_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One start shows all mistakes; passwords do not show, neither in errors nor in the settings' text."""
    monkeypatch.setenv("SPANWISE_PORT", "x")
    monkeypatch.setenv("SPANWISE_READERS", "0")
    monkeypatch.setenv("SPANWISE_CLICKHOUSE", "http://u:hunter2@/")
    monkeypatch.setenv("SPANWISE_KAFKA_SASL_PASSWORD", "hunter2")
    with pytest.raises(SettingsError) as raised:
        load()
    assert [line.split(":")[0] for line in str(raised.value).splitlines()] == [
        "SPANWISE_CLICKHOUSE",
        "SPANWISE_PORT",
        "SPANWISE_READERS",
    ]
    assert "hunter2" not in str(raised.value)
    assert "hunter2" not in repr(load(port=1, readers=1, clickhouse="chdb:///x"))


def test_secrets_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a container's secrets, also the address that holds ClickHouse's password; none is shown."""
    (tmp_path / "key").write_text("k" * 32 + "\n")
    (tmp_path / "clickhouse").write_text("http://user:hidden@db:8123/spanwise\n")
    monkeypatch.setenv("SPANWISE_OPERATOR_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("SPANWISE_CLICKHOUSE_FILE", str(tmp_path / "clickhouse"))

    settings = load()

    assert settings.operator_key.get_secret_value() == "k" * 32
    assert settings.clickhouse == "http://user:hidden@db:8123/spanwise"
    assert "k" * 32 not in repr(settings)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"OPERATOR_KEY": "short"}, "SPANWISE_OPERATOR_KEY: write at least 24 characters"),
        ({"OPERATOR_KEY_FILE": "/nowhere"}, "SPANWISE_OPERATOR_KEY_FILE: /nowhere cannot be read"),
        (
            {"OPERATOR_KEY_FILE": "/nowhere", "OPERATOR_KEY": "k" * 24},
            "SPANWISE_OPERATOR_KEY and SPANWISE_OPERATOR_KEY_FILE are both given",
        ),
    ],
)
def test_a_secret_that_cannot_be_used(
    environment: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the variable, and never has the secret."""
    for name, value in environment.items():
        monkeypatch.setenv(PREFIX + name, value)

    with pytest.raises(SettingsError, match=message) as caught:
        load()

    assert environment.get("OPERATOR_KEY", "-") not in str(caught.value).replace("SPANWISE_OPERATOR_KEY", "")
