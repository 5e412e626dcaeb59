"""SQL behind the HTTP API: one module a subject, each builds queries and reads rows into `spanwise_schemas.api` models."""
