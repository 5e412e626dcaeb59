"""What only Langfuse has, as its documentation shows it: a prompt linked to a call, and a call noted by hand."""

import anthropic
import material
import openai
from langfuse import get_client, observe
from langfuse.api import Prompt_Text
from langfuse.model import TextPromptClient

PROMPT = TextPromptClient(
    Prompt_Text(name="clerk", version=7, prompt=material.SYSTEM, config={}, labels=[], tags=[], type="text")
)


def with_prompt(name):
    """A call by the wrapped package, linked to a prompt of Langfuse's prompt management."""
    messages = [{"role": "system", "content": PROMPT.compile()}, {"role": "user", "content": material.text(name)}]
    openai.OpenAI(max_retries=0).chat.completions.create(
        model=material.OPENAI_MODEL, messages=messages, langfuse_prompt=PROMPT
    )


@observe(as_type="generation", name="anthropic-completion")
def claude(**request):
    """A call of Claude noted by hand; the counts by Langfuse's names."""
    parameters = {"max_tokens": request["max_tokens"]}
    langfuse = get_client()
    langfuse.update_current_generation(
        input=request["messages"], model=request["model"], model_parameters=parameters, prompt=PROMPT
    )
    answer = anthropic.Anthropic(max_retries=0).messages.create(**request)
    usage = answer.usage
    langfuse.update_current_generation(
        output=answer.content[0].text,
        usage_details={
            "input": usage.input_tokens,
            "output": usage.output_tokens,
            "cache_read_input_tokens": usage.cache_read_input_tokens,
            "cache_creation_input_tokens": usage.cache_creation_input_tokens,
        },
    )
    return answer


def by_hand(name):
    """A call of Claude noted by hand."""
    messages = [{"role": "user", "content": material.text(name)}]
    claude(model=material.ANTHROPIC_MODEL, max_tokens=300, messages=messages)


def run_all(case):
    """Run these cases, each inside `case(name)`."""
    for name, call in {"plain chat-prompt": with_prompt, "plain messages-by-hand": by_hand}.items():
        with case(name):
            call(name)
