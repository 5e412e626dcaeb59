"""How far eval scores can be trusted, and how fast evaluators are: `python -m bench.evals`."""
