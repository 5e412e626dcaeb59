"""Asking a collector's API from a command: addresses, answers, and errors in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from spanwise_collector.cli.address import address
from spanwise_collector.cli.errors import CommandError, UsageError
from spanwise_collector.cli.http import Answer, delete, get, post


@dataclass(frozen=True, slots=True)
class Collector:
    """One collector and a project.

    Attributes:
        url: base URL.
        project: asked about.
        key: an API key; empty for none.
    """

    url: str
    project: str
    key: str = ""

    @classmethod
    def of(cls, api: str, data_dir: Path, project: str) -> "Collector":
        """The one at `api`, else that of the `spanwise up` in a directory.

        Raises:
            CommandError: none runs there.
        """
        found = address(api, data_dir)
        return cls(found.url, project, found.key)

    def read(self, *path: str, **parameters: Any) -> dict[str, Any]:
        """GET.

        Raises:
            CommandError: it does not answer, or refuses.
        """
        return self.good(get(self._at(path, parameters), key=self.key, timeout_s=30.0))

    def send(
        self, *path: str, body: Mapping[str, object], timeout_s: float = 30.0, **parameters: Any
    ) -> dict[str, Any]:
        """POST a JSON object.

        Raises:
            CommandError: it does not answer in time, or refuses.
        """
        return self.good(post(self._at(path, parameters), dict(body), key=self.key, timeout_s=timeout_s))

    def remove(self, *path: str) -> None:
        """DELETE.

        Raises:
            CommandError: it does not answer, or refuses.
        """
        self.good(delete(self._at(path, {}), key=self.key, timeout_s=30.0))

    def _at(self, path: tuple[str, ...], parameters: Mapping[str, Any]) -> str:
        given = {name: value for name, value in parameters.items() if value}
        query = urlencode({"project": self.project, **given}, doseq=True)
        return f"{self.url}/api/v1/{'/'.join(quote(part, safe='') for part in path)}?{query}"

    def good(self, answer: Answer | None) -> dict[str, Any]:
        """The document in an answer.

        Raises:
            CommandError: there is no answer, or it is a refusal.
        """
        if answer is None:
            raise CommandError(
                f"No collector answers at {self.url}. Start one with `spanwise up`, or name it with --api URL."
            )
        found = answer.json()
        if not 200 <= answer.status < 300:
            raise CommandError(str(found.get("detail") or f"the collector answered {answer.status}"))
        return found


def time_option(name: str, text: str) -> str:
    """A time as a person writes it, for the API; without a time zone it is UTC.

    Raises:
        UsageError: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{name}: {text!r} is not a date (2026-11-01) or a time (2026-11-01T08:00Z).") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()


def shown_time(text: str | None) -> str:
    """A time of the API for people, UTC; a dash for none."""
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M") if text else "-"


def columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as lines with aligned columns; the last one is as long as it is."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))] if rows else []
    return [
        "  ".join([*(text.ljust(width) for text, width in zip(row[:-1], widths[:-1], strict=True)), row[-1]]).rstrip()
        for row in rows
    ]


def series_text(series: Mapping[str, str]) -> str:
    """A series in one word: `model=gpt-4o,route=/ask`; a dash where the rule is not split."""
    return ",".join(f"{name}={value}" for name, value in series.items()) or "-"
