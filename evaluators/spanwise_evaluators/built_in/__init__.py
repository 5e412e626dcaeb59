"""The evaluators of the registry, one module each; the module's docstring is its section in docs/evaluators.md."""
