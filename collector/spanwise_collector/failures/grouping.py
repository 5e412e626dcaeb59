"""Groups of failures: which fingerprints are the same problem. A group's id is the fingerprint it began with.

Groups are a mapping from fingerprints to ids, so that to join or to part groups rewrites no failure. Fingerprints whose
messages share a template (`drain`) are joined by themselves; what a person decides wins over that, now and later.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from spanwise_collector.failures.drain import Drain


@dataclass(frozen=True, slots=True)
class Message:
    """A fingerprint when it was seen first.

    Attributes:
        fingerprint: 64 bits.
        key: only messages of one key can share a template: class, provider, status, code and the exception's type.
        masked: its message after `masks.mask`; "" where the key alone says what the problem is.
        first_seen_ms: Unix time in milliseconds.
    """

    fingerprint: int
    key: str
    masked: str
    first_seen_ms: int


class Grouper:
    """Assigns fingerprints to groups. The same messages and decisions in the same order give the same groups.

    Args:
        decisions: fingerprint to group, what `merge` and `split` have returned so far, later ones over earlier ones.
    """

    def __init__(self, decisions: Mapping[int, int] | None = None) -> None:
        self._decisions = dict(decisions or {})
        self._drains: dict[str, Drain] = {}
        self._first: dict[tuple[str, int], int] = {}
        # To an earlier fingerprint of the same group; the first one to itself.
        self._parents: dict[int, int] = {}
        self._groups: dict[int, int] = {}

    @classmethod
    def restore(cls, stored: Iterable[tuple[Message, int]], decisions: Mapping[int, int] | None = None) -> Self:
        """A grouper that goes on where another one ended.

        Args:
            stored: messages with their groups, in the order in which they were added. The groups stay, also where other
                versions of masks and templates would join or part them.
            decisions: as for the class.
        """
        made = cls(decisions)
        groups = {}
        for message, group in stored:
            made._place(message)
            groups[message.fingerprint] = group
        made._keep(groups)
        made._renew()
        return made

    @property
    def groups(self) -> Mapping[int, int]:
        """Every fingerprint's group, in the order in which they were added."""
        return self._groups

    def add(self, messages: Iterable[Message]) -> dict[int, int]:
        """Assign new fingerprints, in the order of their first appearance.

        A new message can show that two older groups are one.

        Returns:
            The fingerprints whose group is new or another one.
        """
        for message in in_order(messages):
            if message.fingerprint not in self._parents:
                self._place(message)
        return self._renew()

    def merge(self, groups: Iterable[int], into: int) -> tuple[dict[int, int], dict[int, int]]:
        """Make several groups one for ever; what would join one of them later belongs to it too.

        Args:
            groups: ids or members of the groups.
            into: id or member of the one whose id they get.

        Returns:
            The decisions to be stored, and the fingerprints whose group is another one.

        Raises:
            KeyError: when a fingerprint is unknown.
        """
        target = self._groups[into]
        return self._decide({self._groups[one]: target for one in groups} | {target: target})

    def split(self, fingerprint: int) -> tuple[dict[int, int], dict[int, int]]:
        """Make a fingerprint a group of its own for ever, with those that had been joined to it before it was joined.

        Returns:
            As `merge`.

        Raises:
            KeyError: when it is unknown.
            ValueError: when the group has its id from it; the others can be split off instead.
        """
        if self._groups[fingerprint] == fingerprint:
            raise ValueError("the group began with this fingerprint: split off the others")
        return self._decide({fingerprint: fingerprint})

    def _decide(self, made: dict[int, int]) -> tuple[dict[int, int], dict[int, int]]:
        self._decisions |= made
        return made, self._renew()

    def _place(self, message: Message) -> None:
        fingerprint = message.fingerprint
        self._parents[fingerprint] = fingerprint
        if not message.masked:
            return
        drain = self._drains.setdefault(message.key, Drain())
        at = drain.add(message.masked)
        self._parents[fingerprint] = self._first.setdefault((message.key, at), fingerprint)
        for earlier, later in drain.take_joined():
            # The group that was just begun for this message may itself be among them.
            begun = self._first.pop((message.key, later), fingerprint)
            self._parents[begun] = self._first[message.key, earlier]

    def _keep(self, groups: Mapping[int, int]) -> None:
        """Point fingerprints that would now get another group at the stored one."""
        kept: set[int] = set()
        while True:
            wrong = [
                one
                for one, group in groups.items()
                if one not in kept and one not in self._decisions and self._group(one) != self._decided(group)
            ]
            if not wrong:
                return
            self._parents |= {one: groups[one] for one in wrong}
            kept.update(wrong)

    def _decided(self, group: int) -> int:
        while (other := self._decisions.get(group, group)) != group:
            group = other
        return group

    def _group(self, one: int) -> int:
        while (other := self._decisions.get(one, self._parents.get(one, one))) != one:
            one = other
        return one

    def _renew(self) -> dict[int, int]:
        before = self._groups
        self._groups = {one: self._group(one) for one in self._parents}
        return {one: group for one, group in self._groups.items() if before.get(one) != group}


def in_order(messages: Iterable[Message]) -> list[Message]:
    """Messages as they are added: in the order of their first appearance."""
    return sorted(messages, key=lambda one: (one.first_seen_ms, one.fingerprint))
