"""The daily digest: what is different from the weeks before, tested as a whole so that few findings are false."""
