"""Reviews on a forge: the plan as a comment, what was reviewed, and drift as an issue."""
