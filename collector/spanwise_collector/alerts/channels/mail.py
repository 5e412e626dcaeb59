"""E-mail over SMTP. Mails about one alert refer to the same made-up mail, so that readers show them as one thread."""

import hashlib
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final, Literal

from spanwise_collector.alerts.channels.message import Message, SendError, headline, plain
from spanwise_collector.alerts.channels.secrets import Secret, without

Security = Literal["starttls", "tls", "none"]
_TIMEOUT_S: Final = 10.0
_SUBJECT: Final = 200


@dataclass(frozen=True, slots=True)
class Mail:
    """Sends mails through an SMTP server.

    Attributes:
        host: of the server.
        port: its TCP port.
        security: `starttls` upgrades the connection, `tls` begins with it, `none` is for a server on this machine.
        username: to log in with; empty for none.
        password: to log in with.
        sender: address, with or without a name.
        to: addresses.
        timeout_s: for each step.
        context: which certificates are trusted; None for the system's.
    """

    host: str
    port: int
    security: Security
    username: str
    password: Secret
    sender: str
    to: Sequence[str]
    timeout_s: float = _TIMEOUT_S
    context: ssl.SSLContext | None = None

    def send(self, message: Message) -> str:
        """See `Sender.send`."""
        password = self.password.read() if self.username else ""
        try:
            refused = self._transfer(document(message, self.sender, self.to), password)
        except (smtplib.SMTPException, OSError) as error:
            raise SendError(f"{self.host}:{self.port}: {without(_words(error), password)}") from None
        # Others got it: sending again would repeat it to them.
        return f"{self.host} does not take mail for {', '.join(sorted(refused))}" if refused else ""

    def _transfer(self, document: EmailMessage, password: str) -> dict[str, tuple[int, bytes]]:
        context = self.context or ssl.create_default_context()
        with (
            smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_s, context=context)
            if self.security == "tls"
            else smtplib.SMTP(self.host, self.port, timeout=self.timeout_s)
        ) as server:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.username:
                server.login(self.username, password)
            return server.send_message(document)


def document(message: Message, sender: str, to: Sequence[str]) -> EmailMessage:
    """The mail: plain text. Its Message-ID is the same for each attempt."""
    first = message.notices[0]
    domain = parseaddr(sender)[1].rpartition("@")[2]
    mail = EmailMessage()
    mail["Subject"] = _cut(headline(message))
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Date"] = format_datetime(first.at)
    mail["Message-ID"] = f"<{message.key}@{domain}>"
    if first.alert is not None:
        thread = hashlib.sha256(f"{first.project}\0{first.alert.alert_id}".encode()).hexdigest()[:32]
        mail["References"] = f"<{thread}@{domain}>"
        mail["In-Reply-To"] = f"<{thread}@{domain}>"
    # Programs that answer mails by themselves leave these alone (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(plain(message))
    return mail


def check_address(text: str) -> str:
    """A mail address, with or without a name.

    Raises:
        ValueError: it is none.
    """
    address = parseaddr(text)[1]
    try:
        if not Address(addr_spec=address).domain:
            raise ValueError
    except (HeaderParseError, IndexError, ValueError):
        raise ValueError(f"{text!r} is no mail address; write ops@example.com or Ops <ops@example.com>") from None
    return text


def _cut(subject: str) -> str:
    return subject if len(subject) <= _SUBJECT else subject[: _SUBJECT - 1] + "…"


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return f"{error.smtp_code} {said}"
    return str(error) or type(error).__name__
