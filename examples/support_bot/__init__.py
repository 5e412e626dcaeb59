"""A support assistant for an imaginary shop: retrieval, a model, a tool, a guardrail, and what Spanwise sees of it."""
