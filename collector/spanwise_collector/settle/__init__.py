"""One bill per provider call, across batches, partitions and traces: stored spans are judged again when more arrive."""
