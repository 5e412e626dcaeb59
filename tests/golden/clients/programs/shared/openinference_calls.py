"""What programs under OpenInference's instrumentations share."""

from collections.abc import Iterator
from contextlib import contextmanager

import material
import telemetry
from openinference.instrumentation import using_attributes


@contextmanager
def session(name: str) -> Iterator[None]:
    """A case with session and user, set as OpenInference's guide does it: on every span that it makes inside."""
    with telemetry.case(name), using_attributes(session_id=material.SESSION, user_id=material.USER):
        yield
