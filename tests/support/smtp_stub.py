"""An SMTP server for tests: takes mails, with STARTTLS and a login where they are wanted, and refuses as it is told."""

import asyncio
import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

CERTIFICATE = Path(__file__).with_name("localhost.pem")
"""Certificate and key of localhost, made for tests alone: it secures nothing."""


def trusting() -> ssl.SSLContext:
    """Trusts the stub."""
    return ssl.create_default_context(cafile=str(CERTIFICATE))


@dataclass(slots=True)
class SmtpStub:
    """What the server does and what it got.

    Attributes:
        login: user name and password that are wanted; None for none.
        tls: `starttls`, `tls` or `none`.
        refused: recipients that it does not take.
        data_reply: the answer to a mail, such as `451 busy`; empty takes it.
        mails: what it took.
        port: TCP port.
    """

    login: tuple[str, str] | None = None
    tls: str = "none"
    refused: frozenset[str] = frozenset()
    data_reply: str = ""
    mails: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    def context(self) -> ssl.SSLContext:
        """The server's side."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(CERTIFICATE)
        return made

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_secure, is_known = self.tls == "tls", self.login is None
        await _say(writer, "220 stub")
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            word = line.split(" ")[0].upper()
            if word == "STARTTLS":
                await _say(writer, "220 go on")
                await writer.start_tls(self.context())
                is_secure = True
            elif word == "AUTH":
                _, user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
                is_known = (user, password) == self.login
                await _say(writer, "235 welcome" if is_known else f"535 not with {password}")
            elif word == "DATA":
                await _say(writer, "354 go on")
                content = await reader.readuntil(b"\r\n.\r\n")
                if not self.data_reply:
                    self.mails.append(message_from_bytes(content[:-3], policy=policy.default))
                await _say(writer, self.data_reply or "250 taken")
            else:
                is_welcome = is_known and (is_secure or self.tls == "none")
                await _say(writer, self._simple(word, line, is_secure=is_secure, is_welcome=is_welcome))

    def _simple(self, word: str, line: str, *, is_secure: bool, is_welcome: bool) -> str:
        match word:
            case "EHLO":
                upgrade = "250-STARTTLS\r\n" if self.tls == "starttls" and not is_secure else ""
                return f"250-stub\r\n{upgrade}250 AUTH PLAIN"
            case "MAIL" if not is_welcome:
                return "530 login first"
            case "RCPT" if line.partition("<")[2].partition(">")[0] in self.refused:
                return "550 nobody here"
            case "QUIT":
                return "221 bye"
            case _:
                return "250 ok"


async def _say(writer: asyncio.StreamWriter, line: str) -> None:
    writer.write(line.encode() + b"\r\n")
    await writer.drain()


@contextmanager
def smtp_stub(
    *, tls: str = "none", login: tuple[str, str] | None = None, refused: frozenset[str] = frozenset()
) -> Iterator[SmtpStub]:
    """A server in a thread."""
    stub = SmtpStub(login, tls, refused)
    started = threading.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        context = stub.context() if tls == "tls" else None
        server = await asyncio.start_server(stub.serve, "127.0.0.1", 0, ssl=context)
        stub.port = server.sockets[0].getsockname()[1]
        started.set()
        async with server:
            await stopped.wait()

    stopped = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield stub
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(10)
        loop.close()
