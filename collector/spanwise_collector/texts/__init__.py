"""What texts are about: embeddings, languages, and whether today's inputs and outputs are still the usual ones."""
