"""Questions to the store, one module per subject: SQL with server-side parameters, and reading rows into API models."""
