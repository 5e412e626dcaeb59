"""Instants in addresses: RFC 3339, UTC. Pure."""

from datetime import UTC, datetime


def instant(text: str) -> datetime | None:
    """Reads an instant; without a zone it is UTC. None where it does not read."""
    try:
        value = datetime.fromisoformat(text)
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def rfc3339(value: datetime) -> str:
    """An instant as `instant` reads it back."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
