"""A web page on which people say whether an answer helped."""
