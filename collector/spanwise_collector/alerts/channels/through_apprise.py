"""Any other service that the package apprise knows, by one address; the package is imported when it is used."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from spanwise_collector.alerts.channels.message import Message, SendError, headline, plain
from spanwise_collector.alerts.channels.secrets import without

MISSING: Final = "this channel needs the package apprise: pip install 'spanwise[apprise]'"
_KINDS: Final = {"resolved": "success", "firing": "failure", "repeat": "failure"}


@dataclass(frozen=True, slots=True)
class Apprise:
    """Hands messages to apprise.

    Attributes:
        url: apprise's address of the service, a secret.
    """

    url: Callable[[], str]

    def send(self, message: Message) -> str:
        """See `Sender.send`."""
        try:
            import apprise
        except ImportError:
            raise SendError(MISSING) from None
        url = self.url()
        service = apprise.Apprise()
        with _warnings() as said:
            is_known = service.add(url)
            is_sent = is_known and service.notify(
                title=headline(message),
                body=plain(message),
                notify_type=apprise.NotifyType(_KINDS.get(message.notices[0].kind, "warning")),
            )
        if not is_known:
            raise SendError("apprise does not know this address; its documentation lists the forms")
        if not is_sent:
            reason = " ".join(without(" ".join(said), url).split())[:300]
            raise SendError(f"apprise could not deliver it{f': {reason}' if reason else ''}")
        return ""


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """What apprise warns of meanwhile: why something failed is only in its log."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    listener, logger = Listener(logging.WARNING), logging.getLogger("apprise")
    logger.addHandler(listener)
    try:
        yield said
    finally:
        logger.removeHandler(listener)
