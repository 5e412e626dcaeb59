"""What an evals file may say: `[[evaluators]]` and `[[judges]]`, each with its fields and their limits."""

from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from spanwise_schemas.attributes import KINDS

NANO: Final = 1_000_000_000
NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$"
RESERVED_STRATA: Final = ("", "rest")


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One text or several; `*` at an end or in between stands for anything."""


def fits(value: str, patterns: tuple[str, ...]) -> bool:
    """Whether a value is one of those wanted; no patterns want everything."""
    return not patterns or any(fnmatchcase(value, pattern) for pattern in patterns)


class Entry(BaseModel):
    """A table of the file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Where(Entry):
    """Which spans; all that is given must fit."""

    kind: Words = ()
    name: Words = ()
    environment: Words = ()
    release: Words = ()

    @model_validator(mode="after")
    def _kinds(self) -> "Where":
        for kind in self.kind:
            if kind not in KINDS:
                raise ValueError(f"there is no kind {kind!r}; there are {', '.join(KINDS)}")
        return self


class Stratum(Entry):
    """Targets that are judged more often (or less) than the rest; all that is given must fit.

    Attributes:
        name: stored with each score.
        boost: the base rate is multiplied by this.
        failure_class: of the span, such as `timeout`; `*` for any failure.
        new_release_hours: the span's release was first seen at most so many hours before it.
        min_output_tokens: the answer is at least so long.
        min_duration_ms: it took at least so long.
        span_name: names of spans.
    """

    name: str = Field(pattern=NAME)
    boost: float = Field(gt=0, le=1e6)
    failure_class: Words = ()
    new_release_hours: float | None = Field(None, gt=0, le=24 * 90)
    min_output_tokens: int | None = Field(None, ge=1)
    min_duration_ms: float | None = Field(None, gt=0)
    span_name: Words = ()

    @model_validator(mode="after")
    def _says_something(self) -> "Stratum":
        if self.name in RESERVED_STRATA:
            raise ValueError("choose another name: `rest` are the targets that no stratum fits")
        if not (
            self.failure_class
            or self.new_release_hours
            or self.min_output_tokens
            or self.min_duration_ms
            or self.span_name
        ):
            raise ValueError(
                "say which targets: failure_class, new_release_hours, min_output_tokens, min_duration_ms or span_name"
            )
        return self


class _Sampled(Entry):
    project: str = Field("default", min_length=1, max_length=200)
    where: Where = Where()
    target: Literal["span", "trace"] = "span"
    sample: float = Field(1.0, gt=0, le=1)
    strata: tuple[Stratum, ...] = ()
    salt: str = ""

    @model_validator(mode="after")
    def _strata_once(self) -> Any:
        names = [one.name for one in self.strata]
        if len(set(names)) < len(names):
            raise ValueError("two strata have the same name")
        return self


class EvaluatorEntry(_Sampled):
    """An evaluator without a model.

    Attributes:
        evaluator: its name in the registry; or `module:function` of a callable of your own.
        parameters: of the evaluator.
        project, where, target: which spans; of a trace its root is what is scored.
        sample, strata, salt: how many of them.
    """

    evaluator: str = Field(min_length=1, max_length=200)
    parameters: dict[str, Any] = Field(default_factory=dict)


class JudgeEntry(_Sampled):
    """A judge: a model behind an OpenAI-compatible API and a rubric.

    Attributes:
        name: of the scores; with several criteria they are called `name.criterion`.
        endpoint: base address; `/chat/completions` is added.
        provider: for prices and traces, as in `gen_ai.provider.name`.
        model: as the endpoint calls it.
        api_key_env: environment variable that holds the API key.
        api_key_file: or a file that does.
        rubric: file, Markdown or TOML, beside the evals file.
        scale: `binary` or `graded`.
        grades: from 1 to this, for `graded`.
        mode: `single` judges the answer; `pairwise` compares it with another one, in both orders.
        against: attribute of the span that holds the other answer, for `pairwise`.
        usd_per_day: limit of what calls cost from midnight to midnight, UTC.
        max_tokens: of an answer.
        max_tokens_field: how the endpoint calls that.
        send_temperature: whether `temperature = 0` is sent; some reasoning models refuse it.
        response_format: `json_schema`, or for endpoints without it `json_object` or `none`.
        max_input_chars: longer ones are not judged, and counted.
        concurrency: calls at the same time, per process.
        timeout_seconds: for each call.
        attempts: calls for one verdict at most.
        cache_days: how long verdicts are kept for the same content.
        judge_project: where its calls are traced; default: the project with `-judge`.
        anchors: JSONL file with items that people have labelled.
        anchors_per_day: how many of them are judged again each day.
    """

    name: str = Field(pattern=NAME)
    endpoint: str
    provider: str = "openai"
    model: str = Field(min_length=1, max_length=200)
    api_key_env: str = ""
    api_key_file: str = ""
    rubric: str = Field(min_length=1)
    scale: Literal["binary", "graded"] = "binary"
    grades: int = Field(5, ge=2, le=10)
    mode: Literal["single", "pairwise"] = "single"
    against: str = ""
    usd_per_day: Decimal = Field(gt=0, le=1_000_000)
    max_tokens: int = Field(512, ge=32, le=100_000)
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    send_temperature: bool = True
    response_format: Literal["json_schema", "json_object", "none"] = "json_schema"
    max_input_chars: int = Field(100_000, ge=100, le=5_000_000)
    concurrency: int = Field(4, ge=1, le=64)
    timeout_seconds: float = Field(30.0, gt=0, le=600)
    attempts: int = Field(3, ge=1, le=10)
    cache_days: int = Field(30, ge=1, le=365)
    judge_project: str = Field("", max_length=200)
    anchors: str = ""
    anchors_per_day: int = Field(20, ge=1, le=10_000)

    @model_validator(mode="after")
    def _fits_together(self) -> "JudgeEntry":
        if not self.endpoint.startswith(("http://", "https://")):
            raise ValueError("endpoint: write an address that begins with https:// or http://")
        if self.api_key_env and self.api_key_file:
            raise ValueError("give api_key_env or api_key_file, not both")
        if (self.mode == "pairwise") != bool(self.against):
            raise ValueError("`against` names the attribute with the other answer; it goes with mode = 'pairwise'")
        if self.mode == "pairwise" and self.scale != "binary":
            raise ValueError("a pairwise judge has no scale: leave `scale` out")
        if self.mode == "pairwise" and self.anchors:
            raise ValueError("anchors are labelled one by one; they do not go with mode = 'pairwise'")
        if self.traced_in == self.project:
            raise ValueError("judge_project is the project that is judged; a judge would judge its own calls")
        return self

    @property
    def traced_in(self) -> str:
        """Project of its calls."""
        return self.judge_project or f"{self.project}-judge"

    @property
    def limit_n(self) -> int:
        """Nano-dollars per day."""
        return int(self.usd_per_day * NANO)
