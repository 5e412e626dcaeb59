"""What `spanwise up` runs."""

from pathlib import Path

from spanwise_collector.cli.plan import collector_environ, dashboard_environ, first_trace


def test_the_collector_gets_this_start_s_addresses_over_the_user_s_environment() -> None:
    """The user's own settings reach the collector; what this start decided wins over them."""
    environ = collector_environ(
        {"SPANWISE_PORT": "1", "SPANWISE_RETENTION_DAYS": "7", "SPANWISE_OPERATOR_KEY_FILE": "/key"},
        kafka="127.0.0.1:9093",
        clickhouse="chdb:///data",
        port=4319,
        grpc_port=4320,
        keys_file=Path("/data/keys.toml"),
        alerts_file=Path("/data/alerts.toml"),
        operator_key="k" * 24,
        packaged_broker=False,
    )

    assert environ == {
        "SPANWISE_RETENTION_DAYS": "7",
        "SPANWISE_KAFKA": "127.0.0.1:9093",
        "SPANWISE_CLICKHOUSE": "chdb:///data",
        "SPANWISE_HOST": "127.0.0.1",
        "SPANWISE_OPERATOR_KEY": "k" * 24,
        "SPANWISE_PORT": "4319",
        "SPANWISE_GRPC_PORT": "4320",
        "SPANWISE_KEYS_FILE": "/data/keys.toml",
        "SPANWISE_ALERTS_FILE": "/data/alerts.toml",
        "SPANWISE_DRAIN_SECONDS": "30.0",
        "PYTHONUNBUFFERED": "1",
    }


def test_with_the_packaged_broker_partitions_are_assigned_by_configuration() -> None:
    """The packaged broker has no usable consumer groups, so the collector reads all partitions by configuration."""
    environ = collector_environ(
        {},
        kafka="k:1",
        clickhouse="c",
        port=1,
        grpc_port=2,
        keys_file=Path("keys.toml"),
        alerts_file=Path("alerts.toml"),
        operator_key="k" * 24,
        packaged_broker=True,
    )

    assert {
        name: environ[name] for name in environ if name.removeprefix("SPANWISE_") in ("ASSIGNMENT", "PARTITIONS")
    } == {
        "SPANWISE_ASSIGNMENT": "static",
        "SPANWISE_PARTITIONS": "all",
    }


def test_the_dashboard_gets_this_start_s_key() -> None:
    """In the place of the user's own, in whichever way that was given."""
    environ = dashboard_environ({"SPANWISE_API_KEY_FILE": "/key", "LANG": "C"}, api_key="k" * 24)

    assert environ == {"LANG": "C", "PYTHONUNBUFFERED": "1", "SPANWISE_API_KEY": "k" * 24}


def test_the_first_trace_names_the_broker_only_where_it_is_not_the_default() -> None:
    """The snippet is as short as it can be, and right where the usual port was taken."""
    assert 'spanwise.init(project="default")\n' in first_trace("127.0.0.1:9092")
    assert 'spanwise.init(project="default", kafka="127.0.0.1:9100")\n' in first_trace("127.0.0.1:9100")


def test_the_first_trace_is_a_program() -> None:
    """The snippet compiles."""
    compile(first_trace("127.0.0.1:9100"), "snippet", "exec")
