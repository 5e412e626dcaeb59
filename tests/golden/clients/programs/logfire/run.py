"""Logfire's instrumentation of the packages `openai` and `anthropic`, sent by OTLP to another backend."""

import anthropic_calls
import logfire
import material
import openai_calls


def keep_session(match: logfire.ScrubMatch):
    """Logfire scrubs whatever speaks of a session; its documentation lets a session's id through so."""
    return match.value if match.path == ("attributes", "session.id") else None


def session(name):
    return logfire.span(name, **{"session.id": material.SESSION, "user.id": material.USER})


logfire.configure(send_to_logfire=False, console=False, scrubbing=logfire.ScrubbingOptions(callback=keep_session))
logfire.instrument_openai()
logfire.instrument_anthropic()
openai_calls.run_all(logfire.span, session)
anthropic_calls.run_all(logfire.span, session)
logfire.shutdown()
