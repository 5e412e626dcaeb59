"""Messages in every shape that clients write, in one form: the message JSON of OpenTelemetry's GenAI conventions.

`[{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]`; an output message also has `finish_reason`. Each
module knows one family of shapes and says None to what it does not know; `shapes` asks them in turn.
"""

from spanwise_collector.normalise.messages.content import Content, Side
from spanwise_collector.normalise.messages.shapes import read_content

__all__ = ["Content", "Side", "read_content"]
