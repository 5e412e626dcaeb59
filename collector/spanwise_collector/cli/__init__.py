"""The `spanwise` command."""

from spanwise_collector.cli.commands import main

__all__ = ["main"]
