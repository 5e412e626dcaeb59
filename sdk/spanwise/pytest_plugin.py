"""The pytest fixture `spanwise_capture`.

Loaded in every pytest run where Spanwise is installed, so it imports nothing by itself.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from spanwise.testing import Capture


@pytest.fixture
def spanwise_capture() -> "Iterator[Capture]":
    """What the test's code records: `spanwise_capture.spans` and `.scores`, with fixed ids and times."""
    from spanwise.testing import capture

    with capture() as captured:
        yield captured
