"""Questions in SQL by users: what they may name, how they are confined to one project, and what they may cost."""
