"""The application: answers questions about opening hours from a few facts, and can be run with either of two prompts.

The model is a stand-in that reads the facts, so that the example needs no key; put your own call in its place.
"""

import os

FACTS = {
    "berlin": {"monday": "9 to 18", "saturday": "10 to 16", "sunday": "closed"},
    "hamburg": {"monday": "8 to 17", "saturday": "closed", "sunday": "closed"},
    "munich": {"monday": "9 to 19", "saturday": "9 to 14", "sunday": "closed"},
}


def answer(question: str, prompt: str | None = None) -> str:
    """An answer of one line.

    Args:
        question: such as "When is Berlin open on Monday?"
        prompt: version of the prompt; by default `APP_PROMPT`, else `v1`.
    """
    return model(question, prompt or os.environ.get("APP_PROMPT", "v1"))


def model(question: str, prompt: str) -> str:
    """Stands in for a model. With `v2`, a prompt that was made shorter, it takes Saturday and Sunday for the same."""
    words = question.lower().replace("?", "").split()
    city = next((name for name in FACTS if name in words), "")
    day = next((name for name in ("monday", "saturday", "sunday") if name in words), "")
    if not city or not day:
        return "I do not know."
    if prompt == "v2" and day == "saturday":
        day = "sunday"
    return f"{city.title()}, {day}: {FACTS[city][day]}."
