"""Rounds of looking at texts: references are fitted when it is time, and new texts are placed in terms of them."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from spanwise_collector.query.values import micros
from spanwise_collector.query.window import DAY, HOUR, MINUTE, Window
from spanwise_collector.texts.embed import Embedder
from spanwise_collector.texts.fitting import MAX_FIT, MIN_FIT, fit
from spanwise_collector.texts.reference import FORMAT, ReferenceModel
from spanwise_collector.texts.stored import (
    SIDES,
    Features,
    Side,
    Store,
    StoredModel,
    Text,
    active_projects,
    hours_done,
    hours_with_texts,
    insert_features,
    insert_model,
    newest_model,
    read_texts,
)
from spanwise_evaluators.reading.languages import detect

TEXTS_PER_HOUR: Final = 2_000
HOURS_PER_ROUND: Final = 48
LOOK_BACK: Final = 7 * DAY
"""Hours older than this that were never looked at are left out."""
SETTLED: Final = 10 * MINUTE
"""An hour is looked at so long after its end, when its spans have arrived."""
REFERENCE: Final = 28 * DAY
GAP: Final = DAY
"""A reference ends so long before it is fitted, so that the last day can be compared with it."""
MIN_DAYS: Final = 7
MIN_TEXTS: Final = 2_000
REFIT: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class Round:
    """What a round did.

    Attributes:
        texts: that were placed.
        models: that were fitted.
        more: whether another round has work already.
    """

    texts: int = 0
    models: int = 0
    more: bool = False


def never_restarted(_project: str, _side: Side) -> datetime | None:
    """Where nobody can say that a change of texts was expected."""
    return None


class TextWorker:
    """Looks at the texts of all projects.

    Args:
        store: the database.
        now: the time of day, UTC.
        restarted_at: since when a project's texts have a new normal, as people said; None where they said nothing.
        texts_per_hour: of each project and side, at most.
    """

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], datetime],
        restarted_at: Callable[[str, Side], datetime | None] = never_restarted,
        texts_per_hour: int = TEXTS_PER_HOUR,
    ) -> None:
        self._store = store
        self._now = now
        self._restarted_at = restarted_at
        self._texts_per_hour = texts_per_hour

    def round(self) -> Round:
        """Fit what is due and look at hours that are new, at most `HOURS_PER_ROUND` of all projects together.

        Raises:
            StoreError: as the store says; the next round begins where this one did.
            DataFileError: a wheel with a model is not installed.
        """
        now = micros(self._now())
        hours = texts = models = 0
        window = Window(now - LOOK_BACK, now - SETTLED).aligned(HOUR)
        window = Window(window.start, (now - SETTLED) // HOUR * HOUR)
        for project in active_projects(self._store, Window(now - REFERENCE, now)):
            for side in SIDES:
                model = newest_model(self._store, project, side)
                fitted = self._fit(project, side, model, now)
                models += fitted is not None
                for hour, version in self._due(project, side, fitted or model, window):
                    if hours == HOURS_PER_ROUND:
                        return Round(texts, models, more=True)
                    texts += self._look(project, side, hour, (fitted or model) if version else None)
                    hours += 1
        return Round(texts, models)

    def _due(self, project: str, side: Side, model: StoredModel | None, window: Window) -> list[tuple[int, int]]:
        """Hours to look at, and the version with which: 0 for those from which the model comes, or without one."""
        done = hours_done(self._store, project, side, window)
        found = []
        for hour in hours_with_texts(self._store, project, side, window):
            wanted = model.version if model is not None and hour >= model.reference.end else 0
            if done.get(hour, -1) < wanted:
                found.append((hour, wanted))
        return found

    def _look(self, project: str, side: Side, hour: int, model: StoredModel | None) -> int:
        texts = read_texts(self._store, project, side, Window(hour, hour + HOUR), self._texts_per_hour)
        features = features_of(texts, None if model is None else ReferenceModel.from_text(model.model))
        insert_features(self._store, project, side, hour, 0 if model is None else model.version, features)
        return len(texts)

    def _fit(self, project: str, side: Side, model: StoredModel | None, now: int) -> StoredModel | None:
        """A new model where it is time for one and there are texts enough."""
        hour = now // HOUR * HOUR
        restart = self._restarted_at(project, side)
        restarted = micros(restart) if restart is not None else 0
        is_new_normal = model is not None and model.reference.start < restarted
        if model is not None and not is_new_normal and micros(model.fitted_at) > now - REFIT and readable(model):
            return None
        window = Window(max(hour - GAP - REFERENCE, restarted), hour - GAP)
        days, least = (1, MIN_FIT) if restarted > hour - GAP - MIN_DAYS * DAY else (MIN_DAYS, MIN_TEXTS)
        if window.end - window.start < days * DAY:
            return None
        texts = read_texts(self._store, project, side, window, MAX_FIT)
        if len(texts) < least or window.end - texts[0].time < (days - 0.5) * DAY:
            return None
        fitted = StoredModel(
            hour // 1_000_000,
            self._now(),
            window,
            len(texts),
            fitted_model(project, side, hour // 1_000_000, window, texts).to_text(),
        )
        insert_model(self._store, project, side, fitted)
        return fitted


def readable(model: StoredModel) -> bool:
    """Whether this version reads the model."""
    return f'"format": {FORMAT},' in model.model[:40]


def fitted_model(project: str, side: Side, version: int, window: Window, texts: list[Text]) -> ReferenceModel:
    """The reference of some texts; the same ones give the same model wherever it is fitted."""
    seed = np.random.SeedSequence([zlib.crc32(f"{project}:{side}".encode()), version])
    days = np.array([(text.time - window.end) // DAY for text in texts])
    return fit(Embedder.load().embed([text.text for text in texts]), days, np.random.default_rng(seed))


def features_of(texts: list[Text], model: ReferenceModel | None) -> list[Features]:
    """What is known of texts."""
    languages = detect([text.text for text in texts])
    if model is None or not texts:
        return [Features(text, language) for text, language in zip(texts, languages, strict=True)]
    placed = model.place(Embedder.load().embed([text.text for text in texts]))
    return [
        Features(text, language, int(cluster), float(similarity), bool(similarity < model.novel_below[0]))
        for text, language, cluster, similarity in zip(texts, languages, placed.cluster, placed.similarity, strict=True)
    ]
