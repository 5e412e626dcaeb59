"""What people's labels did to a judge's means, where two sides are compared."""

from pydantic import Field

from spanwise_schemas.api import Model


class ScoreCorrection(Model):
    """Of one judge's score on both sides."""

    corrected: bool = Field(description="Both means are corrected by people's labels; else they are the judge's own.")
    labels_a: int = Field(description="Answers of the first side that both people and the judge scored.")
    labels_b: int = Field(description="Of the second side.")
    raw_a: float | None = Field(None, description="The judge's own weighted mean; null where the side has no score.")
    raw_b: float | None = None
    held: str = Field("", description="Which judge agrees too little with people, so that nothing is proven; or empty.")
    words: str = Field(description="The same for people.")
