"""`spanwise status`: what a collector says of itself, in a few lines."""

from pathlib import Path

from spanwise_collector.cli.datadir import DataDirectory
from spanwise_collector.cli.errors import EXIT_FAILED, EXIT_OK, CommandError
from spanwise_collector.cli.http import get
from spanwise_collector.cli.terminal import Terminal


def run_status(*, data_dir: Path, api: str, terminal: Terminal) -> int:
    """Print readiness, totals and lag.

    Args:
        data_dir: of the `spanwise up` to ask; not used when `api` is given.
        api: base URL of a collector, or empty.
        terminal: where the lines go.

    Returns:
        `EXIT_OK` when the collector is ready, `EXIT_FAILED` when it is not.

    Raises:
        CommandError: nothing runs there, or it does not answer.
    """
    url = api.rstrip("/") or running(data_dir)
    ready = get(f"{url}/readyz", timeout_s=10.0)
    if ready is None:
        raise CommandError(f"No collector answers at {url}. Start one with `spanwise up`, or name it with --api URL.")
    for line in summary(url, ready.json(), _pipeline(url)):
        terminal.line(line)
    return EXIT_OK if ready.status == 200 else EXIT_FAILED


def summary(url: str, health: dict[str, object], totals: dict[str, object]) -> list[str]:
    """The lines to print from a collector's health and its ledger totals."""
    lines = [f"collector  {url}  {health.get('status', 'unknown')}  (spanwise {health.get('version', '?')})"]
    checks = health.get("checks")
    if isinstance(checks, dict):
        lines += [f"  {part:<12} {state}" for part, state in checks.items()]
    if totals:
        lines.append(
            "last 24 h  "
            + ", ".join(
                f"{name} {totals.get(name, 0)}" for name in ("emitted", "stored", "duplicates", "rejected", "dropped")
            )
        )
        lag = totals.get("lag")
        lines.append("in Kafka, not yet stored: " + ("unknown" if lag is None else f"{lag} records"))
    return lines


def running(data_dir: Path) -> str:
    """Base URL of the collector of the `spanwise up` in a directory.

    Raises:
        CommandError: none runs there.
    """
    state = DataDirectory(data_dir).read_state()
    if state is None:
        raise CommandError(f"No `spanwise up` runs in {data_dir}. Start it, or name a collector with --api URL.")
    return state.collector


def _pipeline(url: str) -> dict[str, object]:
    answer = get(f"{url}/api/v1/pipeline", timeout_s=10.0)
    totals = answer.json().get("totals") if answer is not None and answer.status == 200 else None
    return totals if isinstance(totals, dict) else {}
