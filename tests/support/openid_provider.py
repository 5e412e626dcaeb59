"""An OpenID Connect provider on loopback: the code flow, signed tokens, and a page on which one picks an account."""

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "spanwise-dashboard"
CLIENT_SECRET = "a secret of the tests"
LIFETIME_S = 300


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody whom the provider knows; `claims` are told beside the address."""

    email: str
    claims: Mapping[str, object] = field(default_factory=lambda: {"email_verified": True})


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a code stands for."""

    account: Account
    nonce: str
    redirect_uri: str
    challenge: str


class Provider:
    """Codes, keys and accounts; `served` puts it on a port."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self.accounts = {one.email: one for one in accounts}
        self.url = ""
        self.refused: list[str] = []
        self._key = RSAKey.generate_key(2048, auto_kid=True)
        self._codes: dict[str, _Asked] = {}

    def discovery(self) -> dict[str, object]:
        """The document that clients begin with."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "email", "profile"],
        }

    def keys(self) -> dict[str, object]:
        """Public keys of the tokens."""
        return {"keys": [self._key.as_dict(private=False, use="sig", alg="RS256")]}

    def page(self, asked: Mapping[str, str]) -> str:
        """Where one picks an account: a link for each."""
        links = []
        for account in self.accounts.values():
            code = secrets.token_urlsafe(16)
            self._codes[code] = _Asked(
                account, asked.get("nonce", ""), asked["redirect_uri"], asked.get("code_challenge", "")
            )
            query = urlencode({"code": code, "state": asked["state"]})
            links.append(f'<p><a href="{html.escape(asked["redirect_uri"])}?{html.escape(query)}">{account.email}</a>')
        return "<!doctype html><link rel=icon href=data:,><h1>Pick an account</h1>" + "".join(links)

    def token(self, form: Mapping[str, str], authorization: str) -> dict[str, object] | str:
        """The answer to a code, or why there is none."""
        client = (form.get("client_id", ""), form.get("client_secret", ""))
        if authorization.startswith("Basic "):
            name, _, secret = base64.b64decode(authorization[6:]).decode().partition(":")
            client = (unquote(name), unquote(secret))
        if client != (CLIENT_ID, CLIENT_SECRET):
            return "invalid_client"
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or form.get("grant_type") != "authorization_code":
            return "invalid_grant"
        if form.get("redirect_uri") != asked.redirect_uri:
            return "invalid_grant"
        verifier = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if asked.challenge and verifier.rstrip(b"=").decode() != asked.challenge:
            return "invalid_grant"
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": asked.account.email,
            "iat": now,
            "exp": now + LIFETIME_S,
            "email": asked.account.email,
            **asked.account.claims,
        }
        if asked.nonce:
            claims["nonce"] = asked.nonce
        signed = jwt.encode({"alg": "RS256", "kid": self._key.kid}, claims, self._key)
        return {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "expires_in": LIFETIME_S,
            "id_token": signed,
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, provider: Provider) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.provider = provider


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Everything but tokens."""
        provider, parts = self.server.provider, urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path:
            case "/.well-known/openid-configuration":
                self._json(provider.discovery())
            case "/jwks":
                self._json(provider.keys())
            case "/authorize":
                self._answer(200, "text/html; charset=utf-8", provider.page(asked).encode())
            case _:
                self._answer(404, "text/plain", b"")

    def do_POST(self) -> None:
        """Tokens."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        found = self.server.provider.token(form, self.headers.get("Authorization") or "")
        if isinstance(found, str):
            self.server.provider.refused.append(found)
            self._json({"error": found}, 400)
        else:
            self._json(found)

    def _json(self, value: object, status: int = 200) -> None:
        self._answer(status, "application/json", json.dumps(value).encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


@contextmanager
def served(accounts: Sequence[Account]) -> Iterator[Provider]:
    """A provider that answers until the end."""
    provider = Provider(accounts)
    with _Server(provider) as server:
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join(5)
