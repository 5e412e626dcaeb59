"""A thin ClickHouse-HTTP front over the embedded engine, for tests. It is NOT a ClickHouse server.

The queries run on the real engine; the HTTP around them is ours: as much of the protocol as clickhouse-connect's HTTP
client uses (settings, `param_` values and the query in the URL, body or form; compressed bodies and answers; error
codes; /ping). What it tests is our use of that client. Differences from a server: no users beyond one password, no
native protocol version, no sessions, no progress headers, and a query goes on running when its client has gone.

Faults are injected by rules, in the process or over `POST /faults` (a JSON list of `Fault` fields, which replaces the
rules):

    python -m tests.support.http_front --directory DIR --port 0     prints "listening http://127.0.0.1:PORT"
"""

import argparse
import base64
import gzip
import json
import re
import socket
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from email.parser import BytesParser
from email.policy import HTTP as HTTP_POLICY
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Literal, cast
from urllib.parse import parse_qsl, urlsplit
from urllib.request import Request, urlopen

import chdb
import lz4.frame

# Parameters that are for the HTTP layer and not settings of the engine.
_TRANSPORT: Final = frozenset(
    [
        "query",
        "database",
        "user",
        "password",
        "session_id",
        "session_timeout",
        "session_check",
        "query_id",
        "quota_key",
        "compress",
        "decompress",
        "wait_end_of_query",
        "client_protocol_version",
        "role",
        "send_progress_in_http_headers",
        "buffer_size",
        "http_headers_progress_interval_ms",
        "enable_http_compression",
        "cancel_http_readonly_queries_on_client_close",
    ]
)
_INSERT: Final = re.compile(rb"\s*(INSERT\s+INTO\s+.*?\sFORMAT\s+(\w+))[ \t]*\r?\n", re.IGNORECASE | re.DOTALL)
_INSERT_HEAD: Final = re.compile(r"\s*(INSERT\s+INTO\s+.*?)\s+FORMAT\s+(\w+)\s*$", re.IGNORECASE | re.DOTALL)
_CODE: Final = re.compile(r"Code: (\d+)")
_STATUS: Final = {60: 404, 81: 404, 62: 400, 516: 403, 497: 403, 202: 503, 252: 500}


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with requests whose SQL contains some text.

    Attributes:
        kind: `refuse` closes the connection before anything runs; `lose_answer` runs the statement and then closes the
            connection; `slow` waits, then answers normally; `error` answers with a ClickHouse error, nothing runs;
            `hang` waits, then closes the connection, nothing runs; `late` closes the connection at once and runs the
            statement afterwards, when its client may have sent it again already.
        match: text in the SQL or in the insert token; empty matches everything.
        times: for how many requests it holds; -1 for ever.
        code: ClickHouse error code, for `error`.
        seconds: for `slow`, `hang` and `late`.
    """

    kind: Literal["refuse", "lose_answer", "slow", "error", "hang", "late"]
    match: str = ""
    times: int = 1
    code: int = 252
    seconds: float = 0.0


class Faults:
    """The rules in force; each request takes the first that matches and uses up one of its times."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[tuple[Fault, int]] = []
        self.taken: list[Fault] = []

    def set(self, *faults: Fault) -> None:
        """Replace all rules."""
        with self._lock:
            self._rules = [(fault, fault.times) for fault in faults]

    def add(self, fault: Fault) -> None:
        """One rule more, after those in force."""
        with self._lock:
            self._rules.append((fault, fault.times))

    def take(self, text: str) -> Fault | None:
        """The fault for a request with this text, or None."""
        with self._lock:
            for position, (fault, left) in enumerate(self._rules):
                if left != 0 and fault.match in text:
                    self._rules[position] = (fault, left - 1)
                    self.taken.append(fault)
                    return fault
        return None


class EngineError(Exception):
    """An error of the engine, with its code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def _connect(directory: str) -> Any:
    return cast("Any", chdb).connect(directory)


class Engine:
    """The embedded engine; every request has a connection of its own, as on a server it has a context of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = str(directory.resolve())
        self._anchor = _connect(self._directory)

    def close(self) -> None:
        """Close the last connection, and with it the engine."""
        self._anchor.close()

    def run(self, sql: str, data: bytes, params: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
        """Run a statement; `data` are the rows of an INSERT.

        Returns:
            The answer's bytes and the summary.

        Raises:
            EngineError: what the engine said.
        """
        connection = _connect(self._directory)
        try:
            if "database" in params:
                connection.query(f"USE `{params['database']}`", "TabSeparated")
            for key, value in params.items():
                if key not in _TRANSPORT and not key.startswith("param_"):
                    connection.query(f"SET {_identifier(key)} = {_literal(value)}", "TabSeparated")
            bound = {key.removeprefix("param_"): value for key, value in params.items() if key.startswith("param_")}
            if data:
                return b"", self._insert(connection, sql, data)
            answer = connection.query(sql, "TabSeparated", params=bound)
            return answer.bytes() or b"", {"read_rows": str(answer.rows_read())}
        except RuntimeError as error:
            code = _CODE.search(str(error))
            raise EngineError(str(error), int(code.group(1)) if code else 1002) from error
        finally:
            connection.close()

    @staticmethod
    def _insert(connection: Any, sql: str, data: bytes) -> dict[str, str]:
        head = _INSERT_HEAD.match(sql)
        if head is None:
            raise EngineError(
                f"Code: 62. DB::Exception: no INSERT … FORMAT before the data: {sql[:200]} (SYNTAX_ERROR)", 62
            )
        with tempfile.NamedTemporaryFile(suffix=".rows") as file:
            file.write(data)
            file.flush()
            answer = connection.query(
                f"{head.group(1)} FROM INFILE {_literal(file.name)} FORMAT {head.group(2)}", "TabSeparated"
            )
        return {"written_rows": str(answer.rows_read())}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Front"

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/ping":
            fault = self.server.faults.take("/ping")
            if fault is not None and fault.kind != "slow":
                self._drop()
            else:
                self._answer(200, b"Ok.\n", {})
        else:
            self._run()

    def do_POST(self) -> None:
        if urlsplit(self.path).path == "/faults":
            self.server.faults.set(*(Fault(**fields) for fields in json.loads(self._body())))
            self._answer(200, b"Ok.\n", {})
        else:
            self._run()

    def _run(self) -> None:
        params, sql, data = self._request()
        fault = self.server.faults.take(sql + "\n" + params.get("insert_deduplication_token", ""))
        if fault is not None and fault.kind in ("slow", "hang"):
            self.server.stopping.wait(fault.seconds)
        if fault is not None and fault.kind in ("refuse", "hang"):
            self._drop()
            return
        if fault is not None and fault.kind == "late":
            self._drop()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.server.stopping.wait(fault.seconds)
            with suppress(EngineError):
                self.server.engine.run(sql, data, params)
            return
        try:
            if fault is not None and fault.kind == "error":
                raise EngineError(f"Code: {fault.code}. DB::Exception: injected by a test. (INJECTED)", fault.code)
            self._authenticate(params)
            body, summary = self.server.engine.run(sql, data, params)
        except EngineError as error:
            headers = {"X-ClickHouse-Exception-Code": str(error.code)}
            self._answer(_STATUS.get(error.code, 500), f"{error}\n".encode(), headers)
            return
        if fault is not None and fault.kind == "lose_answer":
            self._drop()
            return
        headers = {
            "X-ClickHouse-Summary": json.dumps(summary),
            "X-ClickHouse-Query-Id": params.get("query_id", str(uuid.uuid4())),
        }
        if body:
            headers["X-ClickHouse-Format"] = "TabSeparated"
        if body and params.get("enable_http_compression") == "1":
            body = self._compressed(body, headers)
        self._answer(200, body, headers)

    def _request(self) -> tuple[dict[str, str], str, bytes]:
        """Parameters, SQL and the rows of an insert, wherever the client put them."""
        params = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self._body()
        content_type = self.headers.get("Content-Type", "")
        if content_type.startswith("multipart/form-data"):
            message = BytesParser(policy=HTTP_POLICY).parsebytes(
                b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
            )
            for part in message.iter_parts():
                params[str(part.get_param("name", header="content-disposition"))] = bytes(
                    part.get_payload(decode=True)
                ).decode()
            body = b""
        if "query" in params:
            return params, params["query"], body
        if insert := _INSERT.match(body):
            return params, insert.group(1).decode(), body[insert.end() :]
        return params, body.decode(), b""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(self._chunks())
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match self.headers.get("Content-Encoding", "identity"):
            case "gzip":
                return gzip.decompress(body)
            case "lz4":
                return bytes(lz4.frame.decompress(body))
            case _:
                return body

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _authenticate(self, params: Mapping[str, str]) -> None:
        if not self.server.password:
            return
        given = self.headers.get("X-ClickHouse-Key") or params.get("password", "")
        if self.headers.get("Authorization", "").startswith("Basic "):
            given = base64.b64decode(self.headers["Authorization"][6:]).decode().partition(":")[2]
        if given != self.server.password:
            message = "Code: 516. DB::Exception: default: the password is incorrect. (AUTHENTICATION_FAILED)"
            raise EngineError(message, 516)

    def _compressed(self, body: bytes, headers: dict[str, str]) -> bytes:
        accepted = [encoding.strip() for encoding in self.headers.get("Accept-Encoding", "").split(",")]
        if "lz4" in accepted:
            headers["Content-Encoding"] = "lz4"
            return bytes(lz4.frame.compress(body))
        if "gzip" in accepted:
            headers["Content-Encoding"] = "gzip"
            return gzip.compress(body, 1)
        return body

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for key, value in {"X-ClickHouse-Timezone": "UTC", **headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def _drop(self) -> None:
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """No log line per request."""


class Front(ThreadingHTTPServer):
    """The server. `faults` may be changed while it runs."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, directory: Path, *, port: int = 0, password: str = "") -> None:
        self.engine = Engine(directory)
        self.faults = Faults()
        self.password = password
        self.stopping = threading.Event()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """Its address, without database."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no error here; anything else is printed by the base class."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def close(self) -> None:
        """Stop listening, let sleeping faults go, close the engine."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self.engine.close()


@contextmanager
def running_front(directory: Path, *, password: str = "") -> Iterator[Front]:
    """A front in this process, in a thread."""
    front = Front(directory, password=password)
    thread = threading.Thread(target=front.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield front
    finally:
        front.close()
        thread.join(10)


def set_faults(url: str, faults: Sequence[Fault]) -> None:
    """Replace the rules of a front in another process."""
    body = json.dumps([asdict(fault) for fault in faults]).encode()
    with urlopen(Request(f"{url}/faults", data=body), timeout=10) as answer:
        assert answer.status == 200


def _identifier(name: str) -> str:
    if re.fullmatch(r"\w+", name) is None:
        raise EngineError(f"Code: 115. DB::Exception: Unknown setting '{name}' (UNKNOWN_SETTING)", 115)
    return name


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--directory", type=Path, required=True, help="directory of the embedded engine")
    parser.add_argument("--port", type=int, default=0, help="TCP port; 0 takes a free one")
    parser.add_argument("--password", default="", help="password to ask for; empty asks for none")
    options = parser.parse_args()
    front = Front(options.directory, port=options.port, password=options.password)
    print(f"listening {front.url}", flush=True)  # noqa: T201
    front.serve_forever()


if __name__ == "__main__":
    main()
