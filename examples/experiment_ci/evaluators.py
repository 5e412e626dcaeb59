"""What makes an answer good."""

from spanwise.experiments import Sample


def exact(sample: Sample) -> bool:
    """Whether it is the expected answer."""
    return sample.output == sample.expected


def short(sample: Sample) -> bool:
    """Whether it is one line of at most 80 characters."""
    return len(sample.output) <= 80 and "\n" not in sample.output
