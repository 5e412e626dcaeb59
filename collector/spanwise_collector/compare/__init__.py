"""Two sides beside each other: windows, releases, prompt versions, models."""
