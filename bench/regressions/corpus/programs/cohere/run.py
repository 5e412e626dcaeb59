"""What the package cohere raises, with error bodies as Cohere answers them."""

from typing import Final

import cohere
from recording import Answers, Stub, fail_all
from values import Values

ANSWERS: Final[Answers] = {
    "cohere/wrong key": (401, lambda v: {"id": v.hex(32), "message": "invalid api token"}),
    "cohere/trial": (
        429,
        lambda v: {
            "id": v.hex(32),
            "message": f"You are using a Trial key, which is limited to {v.n(5, 1000)} API calls / month. You can"
            " continue to use the Trial key for free or upgrade to a Production key with higher rate limits at"
            " 'https://dashboard.cohere.com/api-keys'. Contact us on 'https://discord.gg/XW44jPfYJu' or email us at"
            " support@cohere.com with any questions",
        },
    ),
    "cohere/context": (
        400,
        lambda v: {
            "id": v.hex(32),
            "message": "too many tokens: total number of tokens in the prompt cannot exceed"
            f" {v.n(4, 128) * 1000} - received {v.n(129_000, 999_000)}. Try using a shorter prompt, or enable prompt"
            " truncating. See https://docs.cohere.com/reference/generate for more details.",
        },
    ),
    "cohere/no such model": (
        404,
        lambda v: {
            "id": v.hex(32),
            "message": f"model 'command-{v.name}' not found, make sure the correct model ID was used and that you have"
            " access to the model.",
        },
    ),
}


def main() -> None:
    """Fail in all ways."""
    stub = Stub()
    client = cohere.ClientV2(api_key="unused", base_url=stub.url, timeout=3)

    def call(values: Values) -> object:
        message = cohere.UserChatMessageV2(content="Hello")
        return client.chat(model="command-a", messages=[message], request_options={"max_retries": 0})

    fail_all(stub, "cohere", ANSWERS, call)


main()
