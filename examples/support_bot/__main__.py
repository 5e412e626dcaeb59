"""Runs the assistant against a Spanwise that is up already.

python -m examples.support_bot --conversations 5
"""

import argparse
import os

import spanwise
from examples.support_bot.bot import SupportBot
from examples.support_bot.customers import talk
from examples.support_bot.model_service import model_service


def main() -> None:
    """Send some conversations."""
    parser = argparse.ArgumentParser(description="Let some customers talk to the support bot.")
    parser.add_argument("--conversations", type=int, default=5, metavar="N", help="how many (default: 5)")
    parser.add_argument("--kafka", metavar="HOST:PORT", help="the broker (default: SPANWISE_KAFKA or 127.0.0.1:9092)")
    options = parser.parse_args()
    spanwise.init(kafka=options.kafka, service="support-bot", environment="development", release="1.4.1")
    with model_service() as (client, what):
        print(f"The model: {what}")
        outcome = talk(
            SupportBot(client),
            conversations=options.conversations,
            seed=os.getpid(),
            done=lambda _: print(".", end="", flush=True),
        )
    spanwise.flush()
    print(f"\n{outcome.answered} questions answered, {outcome.failed} failed.")


if __name__ == "__main__":
    main()
