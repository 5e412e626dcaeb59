"""Vercel AI SDK 4 to 6 (attributes `ai.*`); version 7 writes GenAI names."""

from typing import Final

from spanwise_schemas.conventions.model import Source

RULES: Final = (Source("ttft_us", "ai.response.msToFirstChunk", "milliseconds"),)
