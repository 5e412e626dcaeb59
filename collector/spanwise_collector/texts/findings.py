"""Whether a project's inputs and outputs are still the usual ones: today's texts against its stored reference."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Final

import numpy as np

from spanwise_collector.query.values import micros
from spanwise_collector.query.window import DAY, HOUR, Window
from spanwise_collector.store.database import Reader
from spanwise_collector.texts.drift import MIN_WINDOW, WEIGHTS, Baseline, Comparison, baseline, compare
from spanwise_collector.texts.embed import Embedder
from spanwise_collector.texts.explain import Booleans, group_members, moved_groups, novelty_change
from spanwise_collector.texts.finding import TextFinding, cluster_of, novelty_sentence
from spanwise_collector.texts.onset import first_out
from spanwise_collector.texts.reference import ReferenceModel
from spanwise_collector.texts.stored import SIDES, Side, StoredModel, Text, newest_model, read_texts
from spanwise_collector.texts.words import moved_words
from spanwise_collector.texts.worker import readable

MAX_WINDOW_TEXTS: Final = 2_000
MAX_REFERENCE_TEXTS: Final = 2_000
"""For the words that moved."""
LONGEST: Final = 7 * DAY
BLOCK: Final = 6 * HOUR
ALPHA: Final = 0.05
"""Up to this p-value a finding is explained."""
_STEP: Final = 50
"""Windows are cut to a multiple of so many texts, so that baselines can be used again."""


def text_findings(
    reader: Reader,
    project: str,
    window: Window,
    now: datetime,
    *,
    restarted_at: Callable[[Side], datetime | None] = lambda _side: None,
) -> list[TextFinding]:
    """Compare the inputs and the outputs of a window with the references that were fitted before it.

    Args:
        reader: the store.
        project: whose.
        window: usually 24 hours. With fewer than 500 texts it is begun earlier, up to 7 days before its end.
        now: the current time; nothing after it is read.
        restarted_at: since when a side has a new normal, as people said; an older reference is not used.

    Returns:
        One for inputs and one for outputs, whether or not something has changed.

    Raises:
        StoreError: see `Reader.query`.
        DataFileError: the wheel with the embeddings is not installed.
    """
    end = min(window.end, micros(now))
    return [_finding(reader, project, side, Window(window.start, end), restarted_at(side)) for side in SIDES]


def _finding(reader: Reader, project: str, side: Side, window: Window, restarted_at: datetime | None) -> TextFinding:
    stored = newest_model(reader, project, side, before=window.start)
    if stored is None or not readable(stored):
        return TextFinding(side, "no_reference", "There are no texts of 7 earlier days to compare with.", window)
    if restarted_at is not None and stored.reference.start < micros(restarted_at):
        return TextFinding(side, "no_reference", "What is normal began anew; its texts are being collected.", window)
    earliest = max(stored.reference.end, window.end - LONGEST)
    texts = read_texts(reader, project, side, window, MAX_WINDOW_TEXTS)
    if len(texts) < MIN_WINDOW and earliest < window.start:
        texts = read_texts(reader, project, side, Window(earliest, window.end), MAX_WINDOW_TEXTS)[-MIN_WINDOW:]
    if len(texts) < MIN_WINDOW:
        detail = f"{len(texts)} {side}s in up to 7 days are too few to compare; it takes {MIN_WINDOW}."
        return TextFinding(side, "too_few", detail, window)
    texts = texts[len(texts) % _STEP :]
    return _compared(reader, project, side, stored, texts, Window(texts[0].time, window.end))


def _compared(
    reader: Reader, project: str, side: Side, stored: StoredModel, texts: Sequence[Text], window: Window
) -> TextFinding:
    model = _model(stored.model)
    embeddings = Embedder.load().embed([text.text for text in texts])
    span_days = max(1, (window.end - window.start) // DAY)
    usual = _baseline(stored.model, len(texts), span_days, stored.version)
    compared = compare(model, usual, embeddings)
    found = TextFinding(
        side=side,
        verdict="compared",
        detail=f"{len(texts):,} {side}s are compared with {stored.n_texts:,} of {model.n_days} earlier days.",
        window=window,
        n=len(texts),
        n_reference=stored.n_texts,
        p_value=compared.p_value,
        p_values=tuple(compared.p_values.items()),
        novelty=novelty_change(model, usual, compared),
    )
    if compared.p_value > ALPHA:
        return found
    return _explained(reader, project, found, stored, usual, compared, texts)


@lru_cache(maxsize=8)
def _model(text: str) -> ReferenceModel:
    return ReferenceModel.from_text(text)


@lru_cache(maxsize=32)
def _baseline(text: str, n: int, span_days: int, version: int) -> Baseline:
    rng = np.random.default_rng(np.random.SeedSequence([version, n, span_days]))
    return baseline(_model(text), n, rng, span_days=span_days)


def _explained(
    reader: Reader,
    project: str,
    found: TextFinding,
    stored: StoredModel,
    usual: Baseline,
    compared: Comparison,
    texts: Sequence[Text],
) -> TextFinding:
    model = _model(stored.model)
    side = found.side
    written = [text.text for text in texts]
    placed = model.place(Embedder.load().embed(written))
    groups = moved_groups(model, usual, compared, placed, written, np.random.default_rng(stored.version))
    since = max(stored.reference.end, found.window.end - LONGEST)
    earlier = list(texts)
    if since < found.window.start:
        earlier = read_texts(reader, project, side, Window(since, found.window.start), MAX_WINDOW_TEXTS) + earlier
    history = model.place(Embedder.load().embed([text.text for text in earlier]))
    blocks = np.array([text.time // BLOCK for text in earlier])

    def began(members: Booleans, usual_share: float) -> int | None:
        block = first_out(members, blocks, usual_share)
        return None if block is None else max(block * BLOCK, since)

    clusters = tuple(
        cluster_of(side, group, texts, began(group_members(model, group, history, placed), group.change.before))
        for group in groups
    )
    novelty = novelty_change(model, usual, compared)
    leading = min(WEIGHTS, key=lambda name: compared.p_values[name] / WEIGHTS[name])
    is_novel = leading == "novelty" or not clusters
    as_a_whole = leading != "novelty" and not clusters and novelty.low <= 0 <= novelty.high
    novel_since = began(history.similarity < model.novel_below[0], novelty.before)
    before = [one.text for one in read_texts(reader, project, side, stored.reference, MAX_REFERENCE_TEXTS)]
    up, down = moved_words(before, written)
    change = novelty if is_novel else clusters[0].change
    if as_a_whole:
        sentence = f"The {side}s as a whole have moved away from the reference; no group of them stands out."
    else:
        sentence = novelty_sentence(side, novelty) if is_novel else clusters[0].sentence
    return replace(
        found,
        direction="changed" if as_a_whole else "up" if change.difference > 0 else "down",
        change=change,
        clusters=clusters,
        words_up=tuple(up),
        words_down=tuple(down),
        began=novel_since if is_novel else clusters[0].began,
        sentence=sentence,
    )
