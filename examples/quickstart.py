"""Ten lines: a function, a trace. Run it while `spanwise up` runs, then open the dashboard."""

import spanwise

spanwise.init(project="default")


@spanwise.observe
def answer(question: str) -> str:
    """Stands for your own code; its arguments and its result become the trace."""
    return "forty-two"


print(answer("What is six times seven?"))
