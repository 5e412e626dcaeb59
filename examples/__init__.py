"""Small real programs to run and to copy."""
