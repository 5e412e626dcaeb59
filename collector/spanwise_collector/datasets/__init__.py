"""Datasets: inputs with what is expected of them, in versions, from files and from traces, and out again."""
