"""Texts in the daily digest: each side's comparison as a trial among all others."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from spanwise_collector.drift.digest import TextTrial
from spanwise_collector.drift.findings import e_value, finding_id
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader
from spanwise_collector.texts.finding import Cluster, TextFinding
from spanwise_collector.texts.findings import text_findings
from spanwise_collector.texts.stored import Side
from spanwise_collector.texts.words import Word
from spanwise_collector.texts.worker import never_restarted
from spanwise_schemas.api_drift import Finding, TextCluster, WordShift

MIN_EFFECT: Final = 0.02
"""Smaller changes of a share are not reported, however certain."""
_NOTHING: Final = -100.0
_SECOND: Final = 1_000_000


class TextTrials:
    """What is known of projects' texts; see `drift.digest.Texts`.

    Args:
        reader: the store.
        now: the time of day, UTC.
        restarted_at: since when a project's texts have a new normal, as people said.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        now: Callable[[], datetime],
        restarted_at: Callable[[str, Side], datetime | None] = never_restarted,
    ) -> None:
        self._reader = reader
        self._now = now
        self._restarted_at = restarted_at

    def trials(self, project: str, start: int, end: int) -> tuple[Sequence[TextTrial], Mapping[str, str]]:
        """What to test, and for `input` and `output` how it is compared or why it is not.

        Args:
            project: whose.
            start: of the day, seconds since the epoch.
            end: of the day.

        Raises:
            StoreError: see `Reader.query`.
            DataFileError: the wheel with the embeddings is not installed.
        """
        day = time_of(start * _SECOND).date().isoformat()
        window = Window(start * _SECOND, end * _SECOND)
        found = text_findings(
            self._reader,
            project,
            window,
            self._now(),
            restarted_at=lambda side: self._restarted_at(project, side),
        )
        trials = [TextTrial(log_e(one), finding_of(one, day)) for one in found if one.verdict == "compared"]
        return trials, {one.side: one.detail for one in found}


def log_e(found: TextFinding) -> float:
    """The logarithm of an e-value from the p-value: 1 / (2 sqrt p), a calibrator of Vovk and Wang (2021).

    A change below `MIN_EFFECT` has none: an e-value may always be lowered.
    """
    if found.change is None or abs(found.change.difference) < MIN_EFFECT:
        return _NOTHING
    return -0.5 * math.log(found.p_value) - math.log(2.0)


def finding_of(found: TextFinding, day: str) -> Finding:
    """As the API tells it."""
    signal = f"text_{found.side}"
    change = found.change or found.novelty
    return Finding(
        finding_id=finding_id(day, signal, ""),
        signal=signal,
        title=f"Texts of {found.side}s",
        form="text",
        direction=found.direction,
        unit="ratio",
        before=change.before if change else None,
        after=change.after if change else None,
        change=change.difference if change else None,
        change_low=change.low if change else None,
        change_high=change.high if change else None,
        began=time_of(found.began) if found.began is not None else None,
        e_value=e_value(log_e(found)),
        p_value=found.p_value,
        sentence=found.sentence or f"The {found.side}s are as they were.",
        explanation=found.detail,
        clusters=[_cluster(one) for one in found.clusters],
        words=[_word(one) for one in (*found.words_up, *found.words_down)],
        samples_before=found.n_reference,
        samples_after=found.n,
    )


def _cluster(cluster: Cluster) -> TextCluster:
    return TextCluster(
        label=cluster.label,
        is_new=cluster.kind == "new",
        before=cluster.change.before,
        after=cluster.change.after,
        low=cluster.change.low,
        high=cluster.change.high,
        examples=list(cluster.examples),
        trace_ids=list(cluster.trace_ids),
    )


def _word(word: Word) -> WordShift:
    return WordShift(word=word.word, z=word.z, before=word.before, after=word.after)
