"""Sizes beyond which data is cut or refused, with the reason for each number."""

from typing import Final

MAX_RECORD_BYTES: Final = 4 * 1024 * 1024
"""Four times Kafka's default message size; parsing one record of this size needs about 30 MB."""
MAX_ATTRIBUTES: Final = 512
"""Attributes kept beside the columns; OpenTelemetry SDKs stop at 128 by default. Messages that are spread over many
attributes are put together and do not count."""
MAX_ATTRIBUTE_NAME: Final = 256
MAX_ATTRIBUTE_VALUE: Final = 65_536
"""Characters of an attribute that is no body; bodies are limited only by the record's size."""
MAX_FIELD: Final = 256
"""Characters of names and ids that become columns to group and filter by."""
MAX_PROJECT: Final = 64
MAX_TAGS: Final = 64
MAX_EVENTS: Final = 256
"""Events and links of one span; token streams write one per token."""
MAX_DEPTH: Final = 16
"""Levels of arrays and maps inside a value."""
MAX_COUNT: Final = 2**32 - 1
"""Tokens of one call: the columns are UInt32."""
PREVIEW: Final = 256
"""Characters of a preview."""
FUTURE_ALLOWANCE_US: Final = 10 * 60 * 1_000_000
"""A clock may be this far ahead of the record's timestamp."""
MIN_RECORD_MS: Final = 1_577_836_800_000
"""2020-01-01: before that there was nothing to send, so an earlier record timestamp is a broken clock."""
MAX_RECORD_MS: Final = 4_102_444_800_000
"""2100-01-01: beyond, ClickHouse's DateTime cannot hold the end of the retention."""
