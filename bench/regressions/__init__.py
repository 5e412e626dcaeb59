"""How well regressions are found: each part prints figures, `python -m bench.regressions` all of them."""
