"""What all programs send: texts, tools, images, names. No packages needed; record.py also writes it down as JSON.

Cases are named by a marker at the start of the last user text, see stub/cases.py: `[case:plain chat-system]`.
"""

import base64
import struct
import zlib

OPENAI_MODEL = "gpt-4o"
ANTHROPIC_MODEL = "claude-haiku-4-5"
GEMINI_MODEL = "gemini-2.5-flash"
EMBEDDING_MODEL = "text-embedding-3-small"
GEMINI_EMBEDDING_MODEL = "gemini-embedding-001"

SESSION = "session-7f3a91"
USER = "user-81c2d4"

SYSTEM = "You are the clerk of a shipping company. Answer in one sentence."
UNICODE = "Grüße aus Graz — 東京は? 🚚 \u202bשלום\u202c e\u0301"
TIMEOUT_S = 1.0
"""What the client gives a call of the case `timeout`."""

TOOL_NAME = "track_order"
TOOL_DESCRIPTION = "Tell where an order is."
TOOL_SCHEMA = {
    "type": "object",
    "properties": {"order": {"type": "string", "description": "Its number"}},
    "required": ["order"],
    "additionalProperties": False,
}
IMAGE_URL = "https://example.com/parcel.png"
TURNS = (("user", "My name is Ada."), ("assistant", "Good day, Ada."))
PARALLEL = 4


def text(case: str, words: str = "Where is my order?") -> str:
    """A user's text that names its case."""
    return f"[case:{case}] {words}"


def long_text(case: str) -> str:
    """A prompt of 200 kB: numbered sentences, so that a cut anywhere shows."""
    sentences = "".join(f"Line {number:05d} of a long letter about parcels.\n" for number in range(4_600))
    return text(case, sentences)


def track_order(order: str) -> str:
    """The tool's result."""
    return f"Order {order} is on a lorry near Graz."


def _png() -> str:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + bytes((x * 31 + y * 17) % 256 for x in range(8 * 3)) for y in range(8))
    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(data).decode()


PNG_BASE64 = _png()
"""An image of 8 x 8 pixels."""


def as_json() -> dict[str, object]:
    """All of it, for programs in other languages; `long` is the text of `long_text` without its marker."""
    named = {key: value for key, value in globals().items() if key.isupper()}
    return named | {"LONG": long_text("x").removeprefix("[case:x] ")}
