"""An evaluator of one's own: a function from a sample to a verdict."""

import re

from spanwise_evaluators.model import Sample


def cites_an_order(sample: Sample) -> bool | None:
    """Whether an answer names the order that was asked about; None where none was."""
    asked = re.findall(r"\b\d{4,6}\b", sample.input)
    return all(number in sample.output for number in asked) if asked else None
