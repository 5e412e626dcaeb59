"""Annotation queues as the HTTP API takes and gives them: what people review, and what they say."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StrictBool, model_validator

from spanwise_schemas.api import Model
from spanwise_schemas.attributes import Kind
from spanwise_schemas.rules import Where

Target = Literal["trace", "span"]
ItemState = Literal["open", "claimed", "done", "skipped"]
Answer = StrictBool | Annotated[float, Field(allow_inf_nan=False)] | str
MAX_QUESTIONS = 9
Name = Annotated[str, Field(min_length=1, max_length=100)]
Reviewer = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$", description="Who reviews; the scores' evaluator.")
]


class Question(Model):
    """What a reviewer is asked; the answer becomes a score of this name."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(description="Of the score. Give it the name of the judge's score that it checks.")
    kind: Literal["yes_no", "categories", "number"] = "yes_no"
    text: str = Field("", max_length=2_000, description="What is asked, in words.")
    categories: tuple[Name, ...] = Field((), max_length=9, description="For `categories`: at least two.")
    minimum: float = Field(1, allow_inf_nan=False, description="For `number`: the least.")
    maximum: float = Field(5, allow_inf_nan=False, description="For `number`: the most.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "categories" and len(set(self.categories)) < max(2, len(self.categories)):
            raise ValueError("`categories` needs at least two, all different")
        if self.kind == "number" and self.minimum >= self.maximum:
            raise ValueError("`minimum` must be below `maximum`")
        return self

    def problem_of(self, answer: bool | float | str) -> str:
        """Why this is no answer to the question; "" where it is one."""
        if self.kind == "yes_no":
            return "" if isinstance(answer, bool) else "answer true or false"
        if self.kind == "categories":
            return "" if answer in self.categories else f"answer one of {', '.join(self.categories)}"
        fits = isinstance(answer, int | float) and not isinstance(answer, bool)
        fits = fits and self.minimum <= float(answer) <= self.maximum
        return "" if fits else f"answer a number from {self.minimum:g} to {self.maximum:g}"


class QueueRule(Model):
    """Which targets come into the queue beside those that are chosen at random. All conditions must hold."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(description="The stratum of its items is `rule:` and this name.")
    share: float = Field(1.0, gt=0, le=1, description="Of the targets that match, this share is chosen, at random.")
    failures: tuple[str, ...] = Field((), description="Classes of failures; one of them.")
    score: str = Field("", max_length=1_000, description="Name of a score that is below or above a limit.")
    source: Literal["code", "llm", "human", "user"] = Field("llm", description="Who gave that score.")
    below: float | None = Field(None, allow_inf_nan=False)
    above: float | None = Field(None, allow_inf_nan=False)
    disagrees: str = Field(
        "",
        max_length=1_000,
        description="Name of a judge's score that says yes (0.5 or more) where the user's says no, or the other way.",
    )
    user_score: str = Field("thumbs", max_length=1_000, description="For `disagrees`: name of the user's score.")
    where: Where = Field(Where(), description="Which traffic; such as a release or a prompt.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.score and self.below is None and self.above is None:
            raise ValueError("`score` needs a limit: `below` or `above`")
        if not self.score and not (self.below is None and self.above is None):
            raise ValueError("`below` and `above` are limits of a `score`; name it")
        if not (self.failures or self.score or self.disagrees or self.where != Where()):
            raise ValueError("a rule needs a condition; a share of everything is `random_share` of the queue")
        return self


class Queue(Model):
    """What is reviewed, and how it is chosen."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    instructions: str = Field("", max_length=20_000, description="For the reviewers, in words.")
    questions: tuple[Question, ...] = Field(min_length=1, max_length=MAX_QUESTIONS)
    target: Target = Field("trace", description="Whether whole traces are reviewed, or single spans.")
    kinds: tuple[Kind, ...] = Field(("llm",), min_length=1, description="Of the spans, where these are reviewed.")
    where: Where = Field(Where(), description="Which traffic the queue is about; everything where empty.")
    random_share: float = Field(0.01, ge=0, le=1, description="Of everything that it is about, this share is chosen.")
    rules: tuple[QueueRule, ...] = Field((), max_length=10)
    second_share: float = Field(0.1, ge=0, le=1, description="This share of the items is reviewed by two people.")
    max_open: int = Field(200, ge=1, le=5_000, description="More do not wait at a time.")
    lookback_hours: int = Field(24, ge=0, le=24 * 30, description="A new queue starts with what came so long before.")
    delay_minutes: int = Field(5, ge=0, le=24 * 60, description="So old is a target at least: scores may come late.")
    enabled: bool = Field(True, description="Whether it is filled; what is in it can be reviewed anyway.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.random_share and not self.rules:
            raise ValueError("the queue would stay empty: give a `random_share` or a rule")
        for what, names in (
            ("questions", [one.name for one in self.questions]),
            ("rules", [one.name for one in self.rules]),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"two `{what}` have the same name")
        return self


class Agreement(Model):
    """How often two reviewers of one item said the same."""

    name: str
    pairs: int = Field(description="Items that two people answered.")
    agreed: int = Field(description="Of these, how many alike.")
    kappa: float | None = Field(
        None,
        description="Agreement beyond chance (Scott's pi, the kappa of pooled answers): 0 is chance, 1 is always. Null "
        "for numbers, and where all said one thing.",
    )


class ReviewerCount(Model):
    """How much one person reviewed."""

    reviewer: str
    done: int = 0
    skipped: int = 0


class Progress(Model):
    """How far a queue is."""

    items: int = 0
    open: int = Field(0, description="Wait for a reviewer, claimed ones included.")
    claimed: int = Field(0, description="Somebody has them on the screen.")
    done: int = 0
    skipped: int = Field(0, description="Everybody who had it passed.")
    reviewers: list[ReviewerCount] = Field(default_factory=list)
    agreement: list[Agreement] = Field(default_factory=list)


class QueueInfo(Model):
    """A queue, how it stands."""

    queue_id: str
    project: str
    queue: Queue
    by: str = Field("", description="Who made or changed it last.")
    time: datetime = Field(description="When.")
    filled_to: datetime | None = Field(None, description="Everything before this was looked at.")
    note: str = Field("", description="What went wrong when it was filled; empty where nothing did.")
    progress: Progress = Progress()


class QueuePage(Model):
    """All queues of a project, by name."""

    items: list[QueueInfo]


class QueueDraft(Model):
    """A queue to store."""

    queue: Queue
    by: str = Field("", max_length=200)


class Review(Model):
    """What one person said of an item."""

    reviewer: str
    outcome: Literal["done", "skipped"]
    answers: dict[str, Answer] = Field(default_factory=dict, description="By name of the question.")
    comment: str = ""
    time: datetime


class Item(Model):
    """A trace or a span to review."""

    item_id: str
    queue_id: str
    trace_id: str
    span_id: str = Field("", description="Empty where the whole trace is reviewed.")
    started: datetime = Field(description="When the target started.")
    stratum: str = Field(description="`random`, or `rule:` and the rule's name.")
    inclusion_probability: float = Field(description="With which it was chosen.")
    wanted: int = Field(1, description="Reviews that it is to have.")
    state: ItemState = "open"
    claimed_by: str = Field("", description="Who has it on the screen, until the claim runs out.")
    claimed_until: datetime | None = None
    reviews: list[Review] = Field(default_factory=list)


class ItemPage(Model):
    """Items of a queue, the oldest first."""

    items: list[Item]


class Next(Model):
    """The item that is a reviewer's now."""

    item: Item | None = Field(None, description="Null where nothing waits for this reviewer.")
    progress: Progress


class ClaimItem(Model):
    """Asks for an item to review."""

    reviewer: Reviewer


class NewReview(Model):
    """What a reviewer says of an item."""

    model_config = ConfigDict(extra="forbid")

    reviewer: Reviewer
    answers: dict[str, Answer] = Field(
        default_factory=dict, description="By name of the question; without an answer at all, the item is skipped."
    )
    comment: str = Field("", max_length=20_000, description="Why; it is stored with each score.")
    correction: str = Field("", max_length=200_000, description="What the output should have been.")


class Correction(Model):
    """What an output should have been."""

    trace_id: str
    span_id: str = ""
    queue_id: str
    by: str
    output: str
    comment: str = ""
    time: datetime


class CorrectionPage(Model):
    """Corrections, newest first."""

    items: list[Correction]
