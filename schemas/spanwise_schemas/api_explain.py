"""Answers of the explain endpoint: for every value of a span, which rule gave it, and what was left over."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from spanwise_schemas.api import CostSource, Model, Usage
from spanwise_schemas.attributes import Kind

Origin = Literal["attribute", "body", "event", "resource", "derived"]


class OtherSource(Model):
    """An attribute that could have given a field and was not used, because a better one was there."""

    attribute: str
    convention: str
    value: str


class FieldOrigin(Model):
    """Where one field's value comes from."""

    field: str
    meaning: str
    value: str = Field(description="As stored; bodies shortened to their preview.")
    origin: Origin = Field(
        description="`body`: read from the input or output. `event`: from a span event. `resource`: from the resource "
        "that sent the span. `derived`: from other fields."
    )
    attribute: str = Field("", description="The attribute, or `input`/`output` for a body.")
    path: str = Field("", description="Members of the attribute's JSON value that the rule reads.")
    convention: str = Field("", description="Whose name the attribute is.")
    reading: str = Field("", description="How the value was understood, in words.")
    others: list[OtherSource] = Field(default_factory=list)


class PriceLine(Model):
    """One sort of tokens with its price."""

    sort: str
    tokens: int
    usd_per_million: float | None
    nanousd: int | None


class CostOrigin(Model):
    """How a span's cost came about."""

    source: CostSource
    total_nanousd: int | None = None
    reported_nanousd: int | None = Field(None, description="What the client said.")
    computed_nanousd: int | None = Field(None, description="What the price list said.")
    price_version: str = ""
    priced_as: str = Field("", description="Provider and model under which the list has the price.")
    lines: list[PriceLine] = Field(
        default_factory=list, description="Empty where the list that made the cost is not the one in use now."
    )
    words: str


class SpanExplanation(Model):
    """Everything that explains one span."""

    span_id: str
    parent_span_id: str = ""
    name: str
    kind: Kind
    start_time: datetime
    scope: str = Field(description="Instrumentation scope that made the span.")
    convention: str = Field(description="Convention recognised by the attributes' names; empty when none was.")
    fields: list[FieldOrigin]
    unmapped: dict[str, str] = Field(description="Attributes that fill no field; kept as they are.")
    resource: dict[str, str] = Field(description="Further attributes of the resource and the scope.")
    raw: dict[str, str] = Field(
        description="Content as sent, where its form was changed or a better attribute was there."
    )
    usage: Usage
    tokens: list[str] = Field(description="How the tokens were counted, in sentences.")
    cost: CostOrigin
    counts_usage: bool
    usage_reason: str = ""
    bill: str = Field(description="Why the span bears the bill or not, in a sentence.")
    warnings: list[str]


class TraceExplanation(Model):
    """A trace's spans, explained, in order of start; or one of them."""

    trace_id: str
    project: str
    spans: list[SpanExplanation]
    left_out: int = Field(0, description="Spans beyond the limit of 200; ask for one by `span`.")
