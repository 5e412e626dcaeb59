"""What the package google-genai raises, with error bodies as Google answers them."""

from typing import Final

from google import genai
from google.genai import types
from recording import Answers, Body, Stub, fail_all


def body(code: int, status: str, message: Body) -> tuple[int, Body]:
    """An answer with an error."""
    return code, lambda v: {"error": {"code": code, "message": message(v), "status": status}}


def exceeded(metric: str) -> Body:
    """A quota."""
    return lambda v: (
        "You exceeded your current quota, please check your plan and billing details. For more information on this"
        " error,"
        " head to: https://ai.google.dev/gemini-api/docs/rate-limits. \n* Quota exceeded for metric:"
        f" generativelanguage.googleapis.com/{metric}, limit: {v.n(5, 250_000)}, model: {v.gemini}\nPlease retry in"
        f" {v.n(1, 59)}.{v.n(100_000, 999_999)}s."
    )


ANSWERS: Final[Answers] = {
    "google/quota": body(429, "RESOURCE_EXHAUSTED", exceeded("generate_content_free_tier_requests")),
    "google/exhausted": body(429, "RESOURCE_EXHAUSTED", lambda v: "Resource has been exhausted (e.g. check quota)."),
    "google/overloaded": body(503, "UNAVAILABLE", lambda v: "The model is overloaded. Please try again later."),
    "google/wrong key": body(400, "INVALID_ARGUMENT", lambda v: "API key not valid. Please pass a valid API key."),
    "google/no such model": body(
        404,
        "NOT_FOUND",
        lambda v: (
            f"models/{v.gemini}-{v.name} is not found for API version v1beta, or is not supported for generateContent."
            " Call"
            " ListModels to see the list of available models and their supported methods."
        ),
    ),
    "google/context": body(
        400,
        "INVALID_ARGUMENT",
        lambda v: (
            f"The input token count ({v.n(1_048_577, 9_000_000)}) exceeds the maximum number of tokens allowed"
            " (1048576)."
        ),
    ),
    "google/function parts": body(
        400,
        "INVALID_ARGUMENT",
        lambda v: (
            "Please ensure that the number of function response parts is equal to the number of function call parts of"
            " the"
            " function call turn."
        ),
    ),
    "google/function name": body(
        400,
        "INVALID_ARGUMENT",
        lambda v: (
            f"* GenerateContentRequest.tools[{v.n(0, 9)}].function_declarations[{v.n(0, 30)}].name: Invalid function"
            " name."
            " Must start with a letter or an underscore."
        ),
    ),
    "google/not enabled": body(
        403,
        "PERMISSION_DENIED",
        lambda v: (
            f"Generative Language API has not been used in project {v.n(10**11, 10**12)} before or it is disabled."
            " Enable it"
            " by visiting https://console.developers.google.com/apis/api/generativelanguage.googleapis.com/overview"
            f"?project={v.n(10**11, 10**12)} then retry. If you enabled this API recently, wait a few minutes for the"
            " action"
            " to propagate to our systems and retry."
        ),
    ),
    "google/internal": body(
        500,
        "INTERNAL",
        lambda v: (
            "An internal error has occurred. Please retry or report in"
            " https://developers.generativeai.google/guide/troubleshooting"
        ),
    ),
    "google/deadline": body(504, "DEADLINE_EXCEEDED", lambda v: "Deadline expired before operation could complete."),
}


def main() -> None:
    """Fail in all ways."""
    stub = Stub()
    options = types.HttpOptions(base_url=stub.url, timeout=3_000)
    client = genai.Client(api_key="unused", http_options=options)
    fail_all(
        stub,
        "gcp.gemini",
        ANSWERS,
        lambda values: client.models.generate_content(model="gemini-2.5-flash", contents="Where is my order?"),
    )


main()
