"""After a fork the child starts anew: own producer id, threads and connections, none of the parent's pending spans."""

import os
from typing import TYPE_CHECKING, Final

from spanwise import _exit
from spanwise._gate import import_gate
from spanwise._guard import guard

if TYPE_CHECKING:
    from spanwise._client import _Process


class _Installed:
    done = False


_installed: Final = _Installed()


def install(process: "_Process") -> None:
    """Install the hooks, once per process; forked children inherit them."""
    if _installed.done or not hasattr(os, "register_at_fork"):
        return
    _installed.done = True

    def in_child() -> None:
        import_gate.after_fork_in_child()
        guard.after_fork()
        try:
            process.after_fork_in_child()
            _exit.after_fork_in_child()
        except Exception as error:
            guard.report("start anew after a fork", error)

    os.register_at_fork(
        before=import_gate.before_fork,
        after_in_parent=import_gate.after_fork_in_parent,
        after_in_child=in_child,
    )
