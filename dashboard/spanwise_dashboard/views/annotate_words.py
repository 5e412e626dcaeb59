"""What the page Annotate says of questions, keys, progress and agreement. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spanwise_dashboard.format import plural
from spanwise_schemas.api_annotations import Agreement, Item, Progress, Question

Answer = bool | float | str


@dataclass(frozen=True, slots=True)
class Choice:
    """A button of a question.

    Attributes:
        label: what it says.
        key: that presses it, as Streamlit names keys.
        answer: what it means.
    """

    label: str
    key: str
    answer: Answer


def choices(question: Question) -> list[Choice]:
    """The buttons of a question; none for numbers that no nine buttons could tell apart."""
    if question.kind == "yes_no":
        return [Choice("Yes", "Y", answer=True), Choice("No", "N", answer=False)]
    if question.kind == "categories":
        return [Choice(text, str(number), text) for number, text in enumerate(question.categories, 1)]
    low, high = question.minimum, question.maximum
    if low != int(low) or high != int(high) or low < 0 or high > 9:
        return []
    return [Choice(str(number), str(number), float(number)) for number in range(int(low), int(high) + 1)]


def current(questions: Sequence[Question], answers: Mapping[str, Answer]) -> int:
    """Which question the keys answer: the first without an answer, else the last one, so that it can be changed."""
    return next((number for number, one in enumerate(questions) if one.name not in answers), len(questions) - 1)


def progress_words(progress: Progress, reviewer: str) -> str:
    """How far the queue is, and what this reviewer did."""
    finished = progress.done + progress.skipped
    mine = next((one.done for one in progress.reviewers if one.reviewer == reviewer), 0)
    skipped = f", {progress.skipped} skipped" if progress.skipped else ""
    return f"{finished} of {progress.items} done{skipped} · {mine} by you"


def share_done(progress: Progress) -> float:
    """For a bar, 0 to 1."""
    return (progress.done + progress.skipped) / progress.items if progress.items else 0.0


def agreement_words(one: Agreement) -> str:
    """How often two people said the same, and whether that is more than chance."""
    said = f"{one.agreed} of {plural(one.pairs, 'item')} alike"
    return said if one.kappa is None else f"{said}, kappa {one.kappa:.2f}"


def chosen_words(item: Item) -> str:
    """Why the item is in the queue."""
    how = "at random" if item.stratum == "random" else f"by the rule {item.stratum.removeprefix('rule:')}"
    return f"{how}, chance {item.inclusion_probability:.3g}"


def key_words(questions: Sequence[Question]) -> str:
    """What can be typed, in one line."""
    kinds = {one.kind for one in questions if choices(one)}
    answer = {
        (True, True): "Y, N and digits answer",
        (True, False): "Y and N answer",
        (False, True): "Digits answer",
    }.get(("yes_no" in kinds, bool(kinds - {"yes_no"})))
    keys = [answer] if answer else []
    return " · ".join([*keys, "M comments", "O corrects the output", "Esc leaves a field", "Enter saves", "S skips"])
