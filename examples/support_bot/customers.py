"""Customers who talk to the assistant: several at a time, each in a session, some with an opinion afterwards."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

from openai import OpenAIError

import spanwise
from examples.support_bot.bot import SupportBot
from examples.support_bot.knowledge import QUESTIONS, USERS

WORKERS = 6


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a conversation went: questions that were answered, and those that ended in an error."""

    answered: int
    failed: int


def talk(bot: SupportBot, *, conversations: int, seed: int, done: Callable[[Outcome], None]) -> Outcome:
    """Let customers talk, a few at the same time.

    Args:
        bot: the assistant.
        conversations: how many, of one to three questions each.
        seed: who asks what.
        done: called after each conversation.

    Returns:
        The sum over all conversations.
    """
    answered = failed = 0
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="customer") as pool:
        for outcome in pool.map(lambda number: _conversation(bot, Random(f"{seed}-{number}")), range(conversations)):
            answered, failed = answered + outcome.answered, failed + outcome.failed
            done(outcome)
    return Outcome(answered, failed)


def _conversation(bot: SupportBot, random: Random) -> Outcome:
    answered = failed = 0
    user = random.choice(USERS)
    questions = random.sample(QUESTIONS, random.choice([1, 2, 2, 3]))
    channel = random.choice(["web", "app", "mail"])
    session = f"{user.partition('@')[0]}-{random.getrandbits(32):08x}"
    with spanwise.user(user), spanwise.session(session), spanwise.metadata(country=random.choice(["de", "fr", "nl"])):
        for question in questions:
            try:
                with spanwise.tags(question.article or "orders", channel):
                    reply = bot.reply(question.text)
            except OpenAIError:
                failed += 1  # the trace has the error
                continue
            answered += 1
            if random.random() < 0.4:
                liked = random.random() < 0.85
                spanwise.score("thumbs", liked, trace_id=reply.trace_id, source="user")
    return Outcome(answered, failed)
