"""How values lie."""

from spanwise_dashboard.components.mount import mount
from spanwise_dashboard.components.trend import ScoreUnit
from spanwise_schemas.api_evals import ScoreDistribution


def payload(title: str, found: ScoreDistribution, unit: ScoreUnit) -> dict[str, object]:
    """What the component draws."""
    return {
        "title": title,
        "unit": unit,
        "mean": found.total.mean,
        "bins": [{"low": one.low, "high": one.high, "count": one.count, "share": one.share} for one in found.bins],
    }


def histogram(title: str, found: ScoreDistribution, unit: ScoreUnit, *, key: str) -> None:
    """Draws a bar for each bin; nothing without bins.

    Args:
        title: for readers of the screen.
        found: from the collector.
        unit: of the values.
        key: identity on the page.
    """
    if found.bins:
        mount("histogram", payload(title, found, unit), key=key)
