"""Errors, by remedy.

SpanwiseError
├── ConfigurationError      change the setting it names; raised only by `spanwise.init`
└── ExperimentError         do what it says; raised only by `spanwise.experiment` and what belongs to it
"""


class SpanwiseError(Exception):
    """Base of the errors that Spanwise raises on purpose."""


class ConfigurationError(SpanwiseError, ValueError):
    """A setting has a value that can never work. The message names the setting and the remedy.

    Raised only by `spanwise.init`, at start. A broker that is away, slow or hung is no configuration error: `init`
    returns and Spanwise goes on trying.
    """
