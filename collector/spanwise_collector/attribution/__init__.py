"""What changed between two windows: which slices of the traffic moved a number, and how much each adds to it."""
