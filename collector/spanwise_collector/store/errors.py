"""Errors of the store, sorted by what helps.

Numbers are ClickHouse's error codes (`src/Common/ErrorCodes.cpp`); a test compares the names below with the engine's
own.
"""

import re
from collections.abc import Mapping
from typing import Final

from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError


class StoreError(RuntimeError):
    """ClickHouse refused, and neither waiting nor leaving rows out helps: a person has to look.

    Attributes:
        code: ClickHouse's error code, or None when the error came from elsewhere.
    """

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class TransientStoreError(StoreError):
    """Try the same thing again later: network, overload, memory, disk, a table that is read-only for now."""


class PermanentStoreError(StoreError):
    """The same rows will be refused again: a value that does not fit its column, a violated constraint."""


class QueryLimitError(StoreError):
    """The question is too big for its limits (time, memory, rows): ask for less."""


TRANSIENT_CODES: Final[Mapping[int, str]] = {
    3: "UNEXPECTED_END_OF_FILE",
    23: "CANNOT_READ_FROM_ISTREAM",
    32: "ATTEMPT_TO_READ_AFTER_EOF",
    33: "CANNOT_READ_ALL_DATA",
    74: "CANNOT_READ_FROM_FILE_DESCRIPTOR",
    75: "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
    95: "CANNOT_READ_FROM_SOCKET",
    96: "CANNOT_WRITE_TO_SOCKET",
    159: "TIMEOUT_EXCEEDED",
    160: "TOO_SLOW",
    173: "CANNOT_ALLOCATE_MEMORY",
    198: "DNS_ERROR",
    201: "QUOTA_EXCEEDED",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    203: "NO_FREE_CONNECTION",
    204: "CANNOT_FSYNC",
    209: "SOCKET_TIMEOUT",
    210: "NETWORK_ERROR",
    225: "NO_ZOOKEEPER",
    236: "ABORTED",
    241: "MEMORY_LIMIT_EXCEEDED",
    242: "TABLE_IS_READ_ONLY",
    243: "NOT_ENOUGH_SPACE",
    244: "UNEXPECTED_ZOOKEEPER_ERROR",
    252: "TOO_MANY_PARTS",
    254: "NO_ACTIVE_REPLICAS",
    265: "NO_AVAILABLE_REPLICA",
    279: "ALL_CONNECTION_TRIES_FAILED",
    285: "TOO_FEW_LIVE_REPLICAS",
    286: "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE",
    289: "REPLICA_IS_NOT_IN_QUORUM",
    297: "SHARD_HAS_NO_CONNECTIONS",
    319: "UNKNOWN_STATUS_OF_INSERT",
    364: "RECEIVED_ERROR_TOO_MANY_REQUESTS",
    369: "ALL_REPLICAS_ARE_STALE",
    394: "QUERY_WAS_CANCELLED",
    410: "EXTERNAL_SERVER_IS_NOT_RESPONDING",
    416: "REPLICA_STATUS_CHANGED",
    425: "SYSTEM_ERROR",
    439: "CANNOT_SCHEDULE_TASK",
    473: "DEADLOCK_AVOIDED",
    499: "S3_ERROR",
    519: "NO_REMOTE_SHARD_AVAILABLE",
    574: "DISTRIBUTED_TOO_MANY_PENDING_BYTES",
    677: "THREAD_WAS_CANCELED",
    733: "TABLE_IS_BEING_RESTARTED",
    735: "QUERY_WAS_CANCELLED_BY_CLIENT",
    745: "SERVER_OVERLOADED",
    749: "TCP_CONNECTION_LIMIT_REACHED",
    762: "HTTP_CONNECTION_LIMIT_REACHED",
    776: "RESOURCE_LIMIT_EXCEEDED",
    777: "MEMORY_RESERVATION_KILLED",
    778: "MEMORY_RESERVATION_FAILED",
    904: "TOO_MANY_UNAVAILABLE_SHARDS",
    999: "KEEPER_EXCEPTION",
}

PERMANENT_CODES: Final[Mapping[int, str]] = {
    6: "CANNOT_PARSE_TEXT",
    19: "SIZE_OF_FIXED_STRING_DOESNT_MATCH",
    26: "CANNOT_PARSE_QUOTED_STRING",
    27: "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
    38: "CANNOT_PARSE_DATE",
    41: "CANNOT_PARSE_DATETIME",
    53: "TYPE_MISMATCH",
    69: "ARGUMENT_OUT_OF_BOUND",
    70: "CANNOT_CONVERT_TYPE",
    72: "CANNOT_PARSE_NUMBER",
    117: "INCORRECT_DATA",
    128: "TOO_LARGE_ARRAY_SIZE",
    131: "TOO_LARGE_STRING_SIZE",
    321: "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
    349: "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN",
    407: "DECIMAL_OVERFLOW",
    467: "CANNOT_PARSE_BOOL",
    469: "VIOLATED_CONSTRAINT",
    691: "UNKNOWN_ELEMENT_OF_ENUM",
}

# For a read these mean that the question is too big; for an insert they mean that the machine is busy.
QUERY_LIMIT_CODES: Final[Mapping[int, str]] = {
    158: "TOO_MANY_ROWS",
    159: "TIMEOUT_EXCEEDED",
    160: "TOO_SLOW",
    241: "MEMORY_LIMIT_EXCEEDED",
    307: "TOO_MANY_BYTES",
    396: "TOO_MANY_ROWS_OR_BYTES",
}

_HTTP_STATUS: Final = re.compile(r"HTTP driver received HTTP status (\d+)")
_RETRYABLE_STATUS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


def from_driver(error: ClickHouseError | OSError, *, reading: bool) -> StoreError:
    """The store's error for one of the driver's.

    Args:
        error: what clickhouse-connect raised, or the operating system (a full disk under the temporary directory).
        reading: True for a query, where a limit means that the question is too big; False for an insert or a command.

    Returns:
        An error of the class whose remedy fits, with the driver's message.
    """
    message = " ".join(str(error).split())
    if isinstance(error, OSError):
        return TransientStoreError(f"The store cannot be reached or written: {message}")
    code: int | None = getattr(error, "code", None)
    if code is None:
        status = _HTTP_STATUS.search(message)
        away = isinstance(error, OperationalError) or (status is not None and int(status.group(1)) in _RETRYABLE_STATUS)
        return TransientStoreError(f"ClickHouse does not answer: {message}") if away else StoreError(message)
    if reading and code in QUERY_LIMIT_CODES:
        return QueryLimitError(message, code=code)
    if code in TRANSIENT_CODES:
        return TransientStoreError(message, code=code)
    if code in PERMANENT_CODES:
        return PermanentStoreError(message, code=code)
    return StoreError(message, code=code)
