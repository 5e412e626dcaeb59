"""Sends records over OTLP/HTTP: to a Spanwise collector or any other OTLP receiver."""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spanwise._gate import import_gate
from spanwise._transport import Outcome, Record, Refused, Sent, TransportUnavailableError, Unsent
from spanwise_schemas.wire import LOGS_TOPIC, SPANS_TOPIC

TIMEOUT_S: Final = (2.0, 10.0)  # to connect, to answer
# What looking a host up and sending a request need.
_MODULES: Final = ("encodings.idna", "netrc", "requests")
_PATHS: Final = {SPANS_TOPIC: "/v1/traces", LOGS_TOPIC: "/v1/logs"}
# The receiver has looked at the content and does not want it; everything else may pass with time or with a changed
# setting there.
_REFUSALS: Final = frozenset({400, 413, 415, 422})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """Where to send.

    Attributes:
        endpoint: base address; the signal's path is added.
        headers: sent with every request.
    """

    endpoint: str
    headers: Mapping[str, str]


class OtlpHttpTransport:
    """A `Transport` that posts each record as one export request."""

    def __init__(self, options: HttpOptions) -> None:
        self._options = options
        self._session: Any = None

    def partitions(self, topic: str) -> int:
        """One: a receiver has no partitions."""
        return 1

    def deliver(self, records: Sequence[Record]) -> list[Outcome]:
        """Post the records, one after the other; after a failure to connect the rest is left for later."""
        session = self._connected()
        import requests

        outcomes: list[Outcome] = []
        for record in records:
            try:
                outcomes.append(self._post(session, record))
            except requests.RequestException as error:
                detail = f"no answer from {self._options.endpoint}: {error}"
                if not outcomes:
                    raise TransportUnavailableError(detail) from error
                outcomes.extend([Unsent(detail)] * (len(records) - len(outcomes)))
                break
        return outcomes

    def _post(self, session: Any, record: Record) -> Outcome:
        url = self._options.endpoint + _PATHS[record.topic]
        headers = {
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip",
            **{name: value.decode() for name, value in record.envelope.to_headers()},
        }
        answer = session.post(
            url, data=gzip.compress(record.value, 1), headers=headers, timeout=TIMEOUT_S, allow_redirects=False
        )
        status = int(answer.status_code)
        if 200 <= status < 300:
            return Sent()
        detail = f"{url} answered {status} {answer.reason}"
        if status in {401, 403}:
            detail += " (check api_key, SPANWISE_API_KEY)"
        return Refused(detail) if status in _REFUSALS else Unsent(detail)

    def close(self, timeout_s: float) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def abandon(self) -> None:
        """Forget the connections."""
        self._session = None

    def _connected(self) -> Any:
        if self._session is None:
            import_gate.load(*_MODULES)
            import requests

            self._session = requests.Session()
            self._session.headers.update(self._options.headers)
        return self._session
