"""The number that equal problems share. Other rules get another `VERSION`, so a number keeps its meaning."""

from hashlib import blake2b
from typing import Final

VERSION: Final = "f2"
"""Part of every fingerprint. It rises when the same failure would get another key."""
_SEPARATOR: Final = "\x1f"


def fingerprint(project: str, *key: str) -> int:
    """64 bits of BLAKE2b over version, project and key; never 0, which stands for no failure."""
    text = _SEPARATOR.join((VERSION, project, *key))
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") or 1
