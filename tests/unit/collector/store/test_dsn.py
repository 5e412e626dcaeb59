"""Reading the address of ClickHouse."""

import pytest

from spanwise_collector.store.dsn import Address, parse_dsn


@pytest.mark.parametrize(
    ("dsn", "address", "shown"),
    [
        ("chdb:///data/x", Address("chdb", path="/data/x"), "chdb:///data/x"),
        ("chdb:///data/a%20b?database=d", Address("chdb", path="/data/a b", database="d"), "chdb:///data/a b"),
        ("http://h", Address("http", host="h", port=8123, username="default"), "http://h:8123/default"),
        (
            "https://me:p%40ss@h.example/traces",
            Address("https", host="h.example", port=8443, username="me", password="p@ss", database="traces"),
            "https://h.example:8443/traces",
        ),
        ("https://h:9443", Address("https", host="h", port=9443, username="default"), "https://h:9443/default"),
        ("http://h:1/?database=d", Address("http", host="h", port=1, username="default", database="d"), "http://h:1/d"),
    ],
)
def test_an_address_is_read_and_shown_without_its_password(dsn: str, address: Address, shown: str) -> None:
    """TLS follows the scheme, whatever the port."""
    assert (parse_dsn(dsn), parse_dsn(dsn).shown) == (address, shown)


@pytest.mark.parametrize(
    ("dsn", "says"),
    [
        ("chdb://relative/path", "three slashes"),
        ("chdb:///", "three slashes"),
        ("clickhouse://h", "starts with chdb://"),
        ("", "starts with chdb://"),
        ("http://", "no host"),
        ("http://u:secret@h:port", "port"),
        ("http://u:secret@h/d?secure=1", "unknown option 'secure'"),
    ],
)
def test_a_wrong_address_is_refused_with_what_to_write(dsn: str, says: str) -> None:
    """The message never holds the password."""
    with pytest.raises(ValueError, match=says) as raised:
        parse_dsn(dsn)
    assert "secret" not in str(raised.value)
