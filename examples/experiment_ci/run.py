"""Runs the experiment under a name: `python -m examples.experiment_ci.run --name main [--prompt v2]`.

With SPANWISE_API_URL set the results go to the collector, for `spanwise check`.
"""

import argparse
from pathlib import Path

import spanwise
from examples.experiment_ci.app import answer
from examples.experiment_ci.evaluators import exact, short
from spanwise.experiments import ExperimentResult

QUESTIONS = Path(__file__).parent / "questions.jsonl"


def run(name: str, prompt: str) -> ExperimentResult:
    """The experiment over the questions beside this file."""
    return spanwise.experiment(
        QUESTIONS,
        lambda item: answer(item.input, prompt),
        [exact, short],
        name=name,
        metadata={"prompt": prompt},
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the experiment: the branch, say")
    parser.add_argument("--prompt", default="v1", help="version of the prompt")
    options = parser.parse_args()
    print(run(options.name, options.prompt))


if __name__ == "__main__":
    main()
