"""Whether a judge agrees with people well enough to be believed, and to raise alerts."""

from typing import Final, Literal

from spanwise_collector.means.agreement import Agreement

Gate = Literal["unknown", "held", "weak", "trusted"]
"""unknown: too few labels. held: may not raise alerts. weak: may, with a warning. trusted: may."""
MIN_LABELS: Final = 50
"""With fewer the interval of kappa is wider than the steps between the limits."""
HELD_BELOW: Final = 0.4
WEAK_BELOW: Final = 0.6


def gate_of(agreement: Agreement) -> Gate:
    """What the judge may do, by its kappa.

    Without a kappa (people and judge said one and the same of everything) nothing is known however many labels there
    are: a judge that always says yes would look the same.
    """
    if agreement.n < MIN_LABELS or agreement.kappa is None:
        return "unknown"
    if agreement.kappa < HELD_BELOW:
        return "held"
    return "weak" if agreement.kappa < WEAK_BELOW else "trusted"


def gate_words(agreement: Agreement) -> str:
    """The same for people, in one sentence."""
    n, kappa = agreement.n, agreement.kappa
    match gate_of(agreement):
        case "unknown" if n < MIN_LABELS:
            return f"Not known yet: people have labelled {n} of the {MIN_LABELS} answers that are needed."
        case "unknown":
            return (
                f"Not known yet: of {n} labelled answers judge and people said one and the same; label some that are "
                "likely to be otherwise."
            )
        case "held":
            return f"Not trusted: kappa {kappa:.2f} with {n} labels is below {HELD_BELOW}; it may not raise alerts."
        case "weak":
            return f"Agrees with people only moderately: kappa {kappa:.2f} with {n} labels. Alerts on it may be wrong."
        case "trusted":
            return f"Agrees with people: kappa {kappa:.2f} with {n} labels."
