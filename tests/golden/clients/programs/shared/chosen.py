"""Which cases a program runs."""

from collections.abc import Callable


def run_chosen(cases: dict[str, Callable[[str], object]], case, session, only: tuple, without: tuple) -> None:
    """Run cases one after the other, each inside `case(name)`; those with a session inside `session(name)`."""
    for name, call in cases.items():
        if (only and not name.startswith(only)) or (without and name.startswith(without)):
            continue
        around = session if name.endswith("session") else case
        if around is None:
            continue
        with around(name):
            call(name)
        print("  ", name, flush=True)
