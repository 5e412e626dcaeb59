"""What OpenAI's agents SDK puts together from a chat's stream: a list of one response with what it made up in it."""

from spanwise_collector.normalise.messages import openai_responses
from spanwise_collector.normalise.messages.content import Content, Side, member, text_member
from spanwise_collector.normalise.values import Value

_MADE_UP_ID = "__fake_id__"
"""`agents.models.fake_id.FAKE_RESPONSES_ID`."""


def read(body: Value, side: Side) -> Content | None:
    """A list of responses; the first is read, there are no more."""
    if not isinstance(body, list) or not body or text_member(body[0], "object") != "response":
        return None
    found = openai_responses.read(body[0], side)
    if found is not None and found.response_id == _MADE_UP_ID:
        items = member(body[0], "output")
        ids = [text_member(one, "provider_data", "response_id") for one in items] if isinstance(items, list) else []
        found.response_id = next((one for one in ids if one), "")
    return found
