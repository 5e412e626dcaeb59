"""Fails on purpose and prints what was raised, one JSON line per failure; and a server that answers with errors."""

import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from values import Values

MESSAGES: Final = 20
"""Of each template; fewer if no more differ, or if they are long."""
FEWEST: Final = 8
CHARS: Final = 3_800
"""Of a template's messages beyond the fewest."""
TRIES: Final = 60

Body = Callable[[Values], Any]
Answers = Mapping[str, tuple[int, Body]]


@dataclass
class Stub:
    """Answers every request with what was set last.

    Attributes:
        status: HTTP status; 0 closes the connection without an answer, -1 never answers in time.
        body: sent as JSON.
    """

    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""
    port: int = 0

    def __post_init__(self) -> None:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                if stub.status == -1:
                    threading.Event().wait(1.0)
                if stub.status <= 0:
                    self.close_connection = True
                    return
                sent = json.dumps(stub.body).encode()
                self.send_response(stub.status)
                for name, value in ({"content-type": "application/json"} | stub.headers).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST = answer  # noqa: N815 - names that the server looks for

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()


def fail(template: str, provider: str, action: Callable[[Values], object]) -> None:
    """Run an action that raises, with other values each time, and print the distinct errors.

    Raises:
        RuntimeError: when the action does not raise.
    """
    told: set[str] = set()
    for number in range(TRIES):
        try:
            action(Values(template, number))
        except Exception as error:
            kind = type(error)
            module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
            line = json.dumps(
                {"template": template, "provider": provider, "type": module + kind.__qualname__, "message": str(error)}
            )
        else:
            raise RuntimeError(f"{template} did not fail")
        if line not in told:
            told.add(line)
            sys.stdout.write(line + "\n")
        chars = sum(map(len, told))
        if len(told) == MESSAGES or (len(told) >= FEWEST and chars > CHARS) or (number >= 10 and len(told) == 1):
            break
    sys.stdout.flush()


def fail_all(stub: Stub, provider: str, answers: Answers, call: Callable[[Values], object]) -> None:
    """Run a call for each of the answers: status and a body made of values."""
    for template, (status, body) in answers.items():

        def action(values: Values, status: int = status, body: Body = body) -> object:
            stub.status, stub.body = status, body(values)
            return call(values)

        fail(template, provider, action)
