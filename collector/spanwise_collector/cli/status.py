"""`spanwise status`: what a collector says of itself, in a few lines."""

from pathlib import Path

from spanwise_collector.cli.address import address
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
    url, key = address(api, data_dir)
    ready = get(f"{url}/readyz", timeout_s=10.0)
    if ready is None:
        raise CommandError(f"No collector answers at {url}. Start one with `spanwise up`, or name it with --api URL.")
    for line in summary(url, ready.json(), _pipeline(url, key)):
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
            + (f", erased {totals['erased']}" if totals.get("erased") else "")
        )
        lag = totals.get("lag")
        lines.append("in Kafka, not yet stored: " + ("unknown" if lag is None else f"{lag} records"))
    return lines


def _pipeline(url: str, key: str) -> dict[str, object]:
    """The totals; empty without a key that may read them, since health is what the command is about."""
    answer = get(f"{url}/api/v1/pipeline", key=key, timeout_s=10.0)
    totals = answer.json().get("totals") if answer is not None and answer.status == 200 else None
    return totals if isinstance(totals, dict) else {}
