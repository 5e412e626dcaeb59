"""Putting the collector together."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from spanwise_collector.ingest.settings import IngestSettings, KafkaConnection
from spanwise_collector.service import (
    ConfigurationError,
    ingest_settings,
    listening,
    make_doorkeeper,
    make_receiver,
    make_runner,
    open_database,
)
from spanwise_collector.settings import load
from spanwise_collector.store.database import Database


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that something listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_every_ingest_setting_comes_from_the_environment_s() -> None:
    """What ingest is told is what the settings say, secrets unwrapped and partition numbers counted."""
    told = ingest_settings(
        load(
            kafka="a:1,b:2",
            port=4400,
            assignment="static",
            partitions="0,3",
            group="g",
            group_instance="one",
            topic_partitions=8,
            topic_replication=3,
            batch_rows=10,
            batch_bytes=2_000_000,
            batch_seconds=0.25,
            lost_offsets="skip",
            kafka_security_protocol="SASL_SSL",
            kafka_sasl_mechanism="SCRAM-SHA-512",
            kafka_sasl_username="ada",
            kafka_sasl_password=SecretStr("secret"),
        )
    )

    assert told == IngestSettings(
        kafka=KafkaConnection(
            bootstrap="a:1,b:2",
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_username="ada",
            sasl_password="secret",
        ),
        code_version=told.code_version,
        collector_id=f"{socket.gethostname()}:4400",
        assignment="static",
        partitions=(0, 3),
        group="g",
        group_instance="one",
        topic_partitions=8,
        topic_replication=3,
        batch_rows=10,
        batch_bytes=2_000_000,
        batch_seconds=0.25,
        lost_offsets="skip",
    )


def test_all_partitions_are_no_list() -> None:
    """`all` follows the topic when it gets more partitions."""
    assert ingest_settings(load(partitions="all")).partitions is None


def test_a_taken_port_names_the_setting(taken_port: int) -> None:
    """The collector does not start on a port that is taken, and says which setting to change."""
    with (
        pytest.raises(ConfigurationError, match=rf"SPANWISE_PORT: cannot listen on 127\.0\.0\.1:{taken_port} "),
        listening("127.0.0.1", taken_port),
    ):
        pass


def test_an_address_of_another_machine_names_the_setting() -> None:
    """A host name that means nothing is refused with the setting."""
    with (
        pytest.raises(ConfigurationError, match=r"SPANWISE_HOST: no\.such\.host\.invalid is not an address"),
        listening("no.such.host.invalid", 0),
    ):
        pass


def test_a_database_that_cannot_be_opened_names_the_setting(tmp_path: Path) -> None:
    """A server that does not answer stops the start with the setting; the password is not in the message."""
    with pytest.raises(ConfigurationError, match=r"^SPANWISE_CLICKHOUSE: ") as caught:
        open_database(load(clickhouse="http://ada:secret@127.0.0.1:9/spanwise"))

    assert "secret" not in str(caught.value)


def test_a_price_file_with_a_mistake_names_the_setting(tmp_path: Path, database: Database) -> None:
    """A price file that cannot be understood stops the start; it would otherwise make wrong costs."""
    prices = tmp_path / "prices.toml"
    prices.write_text("[[price]\n")

    with pytest.raises(ConfigurationError, match=r"^SPANWISE_PRICES_FILE: .*prices\.toml"):
        make_runner(load(prices_file=prices), database)


def test_a_malformed_key_file_names_the_setting(tmp_path: Path) -> None:
    """Nobody is let in by mistake, nor kept out: the start stops."""
    keys = tmp_path / "keys.toml"
    keys.write_text("[[keys")

    with pytest.raises(ConfigurationError, match=r"^SPANWISE_KEYS_FILE: .*keys\.toml: it is not TOML"):
        make_doorkeeper(load(keys_file=keys))


def test_a_taken_grpc_port_names_the_setting(taken_port: int) -> None:
    """It is looked at before anything is opened."""
    settings = load(grpc_port=taken_port)
    doorkeeper = make_doorkeeper(settings)

    with pytest.raises(ConfigurationError, match=rf"^SPANWISE_GRPC_PORT: cannot listen on 127\.0\.0\.1:{taken_port} "):
        make_receiver(settings, doorkeeper)
