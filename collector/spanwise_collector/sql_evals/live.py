"""Keeping evaluators live: each round scores what was stored since the last one, late spans included.

What is new is told by the ledger, whose rows are written once their spans are stored. `ingested_at` would not tell it:
it is the time of the record in Kafka, so that spans which waited there, or are read again, are stored with an old one.
Each evaluator has a position of its own, which is stored, so that one that fails holds up no other. Around a restart
the last minute is scored again, which stores nothing new: ids follow from span, evaluator and version.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from spanwise_collector.periodic import MORE
from spanwise_collector.query.values import EPOCH
from spanwise_collector.query.window import EARLIEST, LATEST
from spanwise_collector.settle.ledger import OVERLAP_MS, LedgerReader, Stretch
from spanwise_collector.sql_evals.checking import message_of
from spanwise_collector.sql_evals.definitions import Definitions, Health, Owned, Progress, Store
from spanwise_collector.sql_evals.lexer import ExpressionError
from spanwise_collector.sql_evals.running import score_slice
from spanwise_collector.sql_evals.scoring import Outcome, Part, Scorer
from spanwise_collector.sql_evals.slices import plan
from spanwise_collector.store.change import literal
from spanwise_collector.store.errors import StoreError, TransientStoreError

TRIES: Final = 5
"""After so many in vain an evaluator is off, until someone turns it on or changes it."""
FIRST_WAIT_MS: Final = 10_000
"""Before the second try; it doubles with each further one."""
IDLE_REPORT_MS: Final = 60_000
"""So far a position moves, without anything to score, before it is stored."""


class LiveRounds:
    """Scores what is new.

    Args:
        store: the database.
        definitions: of the evaluators.
        now: the time of day, UTC.
    """

    def __init__(self, store: Store, definitions: Definitions, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._definitions = definitions
        self._now = now
        self._ledgers: dict[tuple[str, str], LedgerReader] = {}

    def step(self) -> Mapping[str, int]:
        """One round over all evaluators.

        Raises:
            TransientStoreError: the store is away; the next round goes on.
        """
        counts = {"scored": 0, "failed": 0, MORE: 0}
        owned = self._definitions.all()
        for one in owned:
            if one.is_live and one.progress.next_ms <= self._now_ms():
                scored, failed, more = self._evaluator(one)
                counts["scored"] += scored
                counts["failed"] += failed
                counts[MORE] |= more
        known = {(one.definition.project, one.definition.name) for one in owned if one.is_live}
        self._ledgers = {key: ledger for key, ledger in self._ledgers.items() if key in known}
        return counts

    def _evaluator(self, owned: Owned) -> tuple[int, int, bool]:
        definition, progress = owned.definition, owned.progress
        if progress.version != definition.version:
            created = (definition.created - EPOCH) // timedelta(milliseconds=1)
            progress = Progress(version=definition.version, since_ms=progress.since_ms or created)
        key = (definition.project, definition.name)
        ledger = self._ledgers.setdefault(key, LedgerReader())
        stretches, more = ledger.next(self._store, progress.since_ms - OVERLAP_MS)
        try:
            outcome = self._score(owned, stretches)
        except TransientStoreError:
            raise
        except (StoreError, ExpressionError) as error:
            reason = message_of(error) if isinstance(error, StoreError) else str(error)
            tries = progress.tries + 1
            state: Health = "failed" if tries >= TRIES else "failing"
            wait = FIRST_WAIT_MS * 2 ** (tries - 1)
            self._definitions.report(
                *key, replace(progress, state=state, reason=reason, tries=tries, next_ms=self._now_ms() + wait)
            )
            return 0, 1, False
        ledger.done()
        since = max(progress.since_ms, ledger.since_ms)
        if outcome.spans or progress.state != "ok" or since - progress.since_ms >= IDLE_REPORT_MS:
            total = progress.outcome.plus(outcome)
            self._definitions.report(
                *key, replace(progress, state="ok", reason="", tries=0, next_ms=0, since_ms=since, outcome=total)
            )
        return outcome.scored, 0, more

    def _score(self, owned: Owned, stretches: Sequence[Stretch]) -> Outcome:
        total = Outcome()
        if not stretches:
            return total
        definition = owned.definition
        scorer = Scorer.of(definition.expression, definition.filter, definition.kind)
        condition = " OR ".join(
            f"(s.ktopic = {literal(one.ktopic)} AND s.kpart = {one.partition} AND s.koff BETWEEN {one.first} "
            f"AND {one.last})"
            for one in stretches
        )
        which = sha256(condition.encode()).hexdigest()[:32]
        for piece in plan(self._store, definition.project, EARLIEST, LATEST, condition):
            part = Part(definition.project, piece.start, piece.end, condition)
            name = f"{which}:{piece.start}-{piece.end}"
            total = total.plus(score_slice(self._store, definition, scorer, part, name))
        return total

    def _now_ms(self) -> int:
        return (self._now() - EPOCH) // timedelta(milliseconds=1)
