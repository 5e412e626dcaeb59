"""What ends a command, each with its exit code."""

from typing import ClassVar

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2  # argparse uses it too
EXIT_MISSING = 3


class CommandError(Exception):
    """Ends the command with its message on standard error; no traceback, the message names the remedy."""

    exit_code: ClassVar[int] = EXIT_FAILED


class UsageError(CommandError):
    """An option or setting is wrong."""

    exit_code = EXIT_USAGE


class MissingExtraError(CommandError):
    """The command needs packages that are not installed."""

    exit_code = EXIT_MISSING
