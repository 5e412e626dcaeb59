"""Error messages of real client packages and of Python itself, each made by the package; see `record`."""
