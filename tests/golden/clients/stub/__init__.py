"""A provider of OpenAI's, Anthropic's and Gemini's APIs that logs what it answers, and an OTLP receiver beside it."""
