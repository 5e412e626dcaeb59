"""What the packages langchain-core and langchain-openai raise."""

import json
from typing import Literal

from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from recording import Stub, fail
from values import Values


class Order(BaseModel):
    """What a model is to answer with."""

    number: int
    state: Literal["open", "sent"]


@tool
def track(number: int) -> str:
    """Where an order is."""
    return str(number)


def main() -> None:
    """Fail in all ways."""
    stub = Stub()

    def prompt(values: Values) -> object:
        template = ChatPromptTemplate.from_messages([("human", f"Tell of {{{values.column}}} in {{place}}")])
        return template.invoke({"place": "Paris"})

    def parse_json(values: Values) -> object:
        return JsonOutputParser().parse(f"The {values.name} is {values.n(1, 999)} at {values.column}.")

    def parse_order(values: Values) -> object:
        text = json.dumps({"number": values.n(1, 10**6), "state": values.name})
        return PydanticOutputParser(pydantic_object=Order).parse(text)

    def limited(values: Values) -> object:
        stub.status = 429
        stub.body = {
            "error": {
                "message": f"Rate limit reached for {values.gpt} in organization {values.id('org-')} on requests per"
                f" min (RPM): Limit {values.n(3, 900)}, Used {values.n(3, 900)}, Requested 1. Please try again in"
                f" {values.n(1, 60)}s. Visit https://platform.openai.com/account/rate-limits to learn more.",
                "type": "requests",
                "param": None,
                "code": "rate_limit_exceeded",
            }
        }
        model = ChatOpenAI(model="gpt-4o", base_url=stub.url + "/v1", api_key="unused", max_retries=0)
        return model.invoke("Where is my order?")

    fail("langchain/prompt variable", "", prompt)
    fail("langchain/no json", "", parse_json)
    fail("langchain/wrong value", "", parse_order)
    # What the provider says through another client is the same problem.
    fail("openai/limit requests per minute", "openai", limited)
    fail("langchain/tool argument", "", lambda values: track.invoke({"number": values.name}))
    fail("langchain/tool argument missing", "", lambda values: track.invoke({values.column: values.n(1, 99)}))


main()
