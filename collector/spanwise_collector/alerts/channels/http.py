"""POST for notifications: to a checked and pinned address, without redirects and proxies, within a time limit."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

import httpx

from spanwise_collector.alerts.channels.addresses import Network, resolve
from spanwise_collector.alerts.channels.message import SEND_S, SendError

ANSWER_BYTES: Final = 4096
"""So much of an answer is read; the rest is of no interest."""
_OP_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Poster:
    """Sends over HTTP.

    Attributes:
        allowed: private networks that may be reached.
        timeout_s: for the whole request.
    """

    allowed: Sequence[Network] = ()
    timeout_s: float = SEND_S

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> str:
        """POST a body; the begin of the answer's text.

        Raises:
            SendError: there was no answer, or none with a status of 200 to 299. The address's host is named, never
                its path, which may hold a secret.
        """
        try:
            return asyncio.run(asyncio.wait_for(self._post(url, body, headers), self.timeout_s))
        except TimeoutError:
            raise SendError(f"{_host(url)} did not answer within {self.timeout_s:g} s") from None
        except httpx.TimeoutException:
            raise SendError(f"{_host(url)} did not answer within {_OP_S:g} s") from None
        except httpx.HTTPError as error:
            raise SendError(f"{_host(url)} cannot be reached ({type(error).__name__}: {error})") from None

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> str:
        wanted = httpx.URL(url)
        port = wanted.port or (443 if wanted.scheme == "https" else 80)
        address = await resolve(wanted.host, port, self.allowed)
        request_headers = {"User-Agent": f"spanwise/{version('spanwise')}", **headers, "Host": wanted.netloc.decode()}
        async with (
            httpx.AsyncClient(
                # To read all certificates takes longer than to send.
                verify=httpx.create_ssl_context() if wanted.scheme == "https" else False,
                trust_env=False,
                follow_redirects=False,
                timeout=_OP_S,
            ) as client,
            client.stream(
                "POST",
                wanted.copy_with(host=str(address), port=port),
                content=body,
                headers=request_headers,
                # The certificate must be that of the name, not of the address.
                extensions={"sni_hostname": wanted.host},
            ) as answer,
        ):
            text = await _begin(answer)
            if answer.is_success:
                return text
            raise SendError(_refusal(wanted.host, answer, text), retry_after_s=_retry_after(answer))


def check_url(url: str) -> str:
    """An address that can be posted to.

    Raises:
        ValueError: it is none; the message holds nothing of it.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise ValueError("the address cannot be read; write https://host/path") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError("write an address that begins with https:// or http://")
    if parsed.userinfo:
        raise ValueError("write no user name and password into the address; sign with a secret instead")
    return url


def _host(url: str) -> str:
    return httpx.URL(url).host


async def _begin(answer: httpx.Response) -> str:
    found = b""
    async for chunk in answer.aiter_bytes():
        found += chunk
        if len(found) >= ANSWER_BYTES:
            break
    return found[:ANSWER_BYTES].decode("utf-8", "replace")


def _refusal(host: str, answer: httpx.Response, text: str) -> str:
    if answer.is_redirect:
        return f"{host} answered {answer.status_code}, a redirect, and those are not followed; write the final address"
    said = " ".join(text.split())[:200]
    return f"{host} answered {answer.status_code}{f': {said}' if said else ''}"


def _retry_after(answer: httpx.Response) -> float | None:
    given = answer.headers.get("Retry-After", "")
    return float(given) if given.isdecimal() else None
