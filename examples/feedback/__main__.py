"""Serves the page: `python -m examples.feedback`."""

import argparse

import uvicorn

import spanwise
from examples.feedback.app import make_app
from examples.support_bot.bot import SupportBot
from examples.support_bot.model_service import model_service


def main() -> None:
    """Run until Ctrl-C."""
    parser = argparse.ArgumentParser(description="The support bot on a web page, with feedback under each answer.")
    parser.add_argument("--port", type=int, default=8600, help="of the page (default: 8600)")
    parser.add_argument("--kafka", metavar="HOST:PORT", help="the broker (default: SPANWISE_KAFKA or 127.0.0.1:9092)")
    options = parser.parse_args()
    spanwise.init(kafka=options.kafka, service="support-web", environment="development", release="1.4.1")
    with model_service() as (client, what):
        print(f"The model: {what}\nThe page:  http://127.0.0.1:{options.port}", flush=True)
        uvicorn.run(make_app(SupportBot(client).reply), host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
