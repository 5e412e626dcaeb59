"""Gemini's `generateContent` and embeddings on the wire. Shapes: the types of the package `google-genai`."""

import json
from collections.abc import Iterator
from typing import Any

from tests.golden.clients.stub.answers import words
from tests.golden.clients.stub.truth import Answer, Asked


def read_generate(body: dict[str, Any], model: str, *, stream: bool) -> Asked:
    """A request to `/v1beta/models/<model>:generateContent` or `:streamGenerateContent`."""
    system = body.get("systemInstruction") or body.get("system_instruction") or {}
    known = ("contents", "systemInstruction", "system_instruction", "tools")
    declared = [
        one
        for tool in body.get("tools") or ()
        for one in tool.get("functionDeclarations") or tool.get("function_declarations") or ()
    ]
    return Asked(
        "gemini.generate",
        model,
        stream,
        "\n".join(part["text"] for part in system.get("parts", ())),
        [_read_content(one) for one in body["contents"]],
        [one["name"] for one in declared],
        {key: value for key, value in body.items() if key not in known},
    )


def _read_content(one: dict[str, Any]) -> dict[str, Any]:
    texts, images, calls, results = [], [], [], []
    for part in one["parts"]:
        if "text" in part and not part.get("thought"):
            texts.append(part["text"])
        elif data := part.get("inlineData") or part.get("inline_data"):
            images.append(f"data:{data.get('mimeType') or data.get('mime_type')}")
        elif data := part.get("fileData") or part.get("file_data"):
            images.append(data.get("fileUri") or data.get("file_uri"))
        elif call := part.get("functionCall") or part.get("function_call"):
            arguments = json.dumps(call.get("args") or {}, separators=(",", ":"))
            calls.append({"id": call.get("id") or "", "name": call["name"], "arguments": arguments})
        elif result := part.get("functionResponse") or part.get("function_response"):
            content = json.dumps(result.get("response"), ensure_ascii=False)
            results.append({"id": result.get("id") or "", "content": content})
    role = "tool" if results else {"model": "assistant"}.get(one.get("role") or "user", "user")
    return {"role": role, "text": "\n".join(texts), "images": images, "tool_calls": calls, "tool_results": results}


def usage(answer: Answer) -> dict[str, Any]:
    """The usage object: cached tokens are in the prompt's, thoughts are not in the candidates'."""
    tokens = answer.tokens
    return {
        "promptTokenCount": tokens.input,
        "candidatesTokenCount": tokens.output - tokens.reasoning,
        "totalTokenCount": tokens.input + tokens.output,
        "cachedContentTokenCount": tokens.cache_read,
        "thoughtsTokenCount": tokens.reasoning,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens.input}],
    }


def _answer(answer: Answer, parts: list[dict[str, Any]], finish: str, usage_of: dict[str, Any]) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": usage_of,
        "modelVersion": answer.model,
        "responseId": answer.id,
    }


def _parts(answer: Answer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"text": answer.thought, "thought": True}] if answer.thought else []
    for call in answer.tool_calls:
        given = {"id": call["id"], "name": call["name"], "args": json.loads(call["arguments"])}
        found.append({"functionCall": given})
    return [*found, {"text": answer.text}] if answer.text else found


def generated(answer: Answer) -> dict[str, Any]:
    """The answer in one piece."""
    return _answer(answer, _parts(answer), answer.finish_reason, answer.usage)


def chunks(answer: Answer) -> Iterator[dict[str, Any]]:
    """The answer in pieces; each tells the usage so far, the last one all of it."""
    so_far = {key: answer.usage[key] for key in ("promptTokenCount", "cachedContentTokenCount", "promptTokensDetails")}
    so_far["totalTokenCount"] = answer.usage["promptTokenCount"]
    parts = [part for part in _parts(answer) if "text" not in part or part.get("thought")]
    parts += [{"text": word} for word in words(answer.text)] if answer.text else []
    for part in parts[:-1]:
        yield _answer(answer, [part], "", so_far)
    yield _answer(answer, parts[-1:], answer.finish_reason, answer.usage)


def read_embed(body: dict[str, Any], model: str) -> Asked:
    """A request to `:embedContent` or `:batchEmbedContents`."""
    contents = [one["content"] for one in body.get("requests") or [body]]
    texts = ["\n".join(part["text"] for part in one["parts"]) for one in contents]
    return Asked("gemini.embed", model, inputs=texts)


def embedded(asked: Asked) -> dict[str, Any]:
    """Vectors. The API tells no usage."""
    vectors = [{"values": [0.25, -0.5, 0.125]} for _ in asked.inputs]
    return {"embeddings": vectors, "embedding": vectors[0]}
