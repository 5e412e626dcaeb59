"""How long what is stored of a project stays, where that is shorter than the tables' own life time."""
