"""Statistics of regressions: pure NumPy over arrays [series, time], no I/O, no clock, no randomness of its own."""
