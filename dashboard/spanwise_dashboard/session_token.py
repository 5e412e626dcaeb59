"""Tokens that say that a browser knew the password: when they end, and a signature by the password. Pure.

Whoever changes the password ends all sessions.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Final

LIFETIME: Final = timedelta(hours=12)
_PURPOSE: Final = b"spanwise dashboard session 1:"


def issue(password: str, now: datetime) -> str:
    """A token that holds from now on for `LIFETIME`: `<seconds since the epoch>.<hex>`."""
    end = str(int((now + LIFETIME).timestamp()))
    return f"{end}.{_signature(password, end)}"


def holds(token: str, password: str, now: datetime) -> bool:
    """Whether a token was issued with this password and has not ended."""
    end, _, signature = token.partition(".")
    if not end.isascii() or not end.isdecimal() or len(end) > 12:
        return False
    is_ours = hmac.compare_digest(signature.encode(), _signature(password, end).encode())
    return is_ours and now < datetime.fromtimestamp(int(end), UTC)


def same_password(given: str, password: str) -> bool:
    """Whether two passwords are the same; the time that it takes says nothing about them."""
    return hmac.compare_digest(hashlib.sha256(given.encode()).digest(), hashlib.sha256(password.encode()).digest())


def _signature(password: str, end: str) -> str:
    return hmac.new(password.encode(), _PURPOSE + end.encode(), hashlib.sha256).hexdigest()
