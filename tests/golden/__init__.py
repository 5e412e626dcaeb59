"""What real client packages send, recorded, against what a stub provider says it answered.

`python -m tests.golden.record` runs every program of `programs/` against the stub and stores its OTLP requests beside
the stub's log, byte for byte but for the names of folders in stack traces. The tests read both: expected values come
from that log, never from Spanwise's own code.
"""
