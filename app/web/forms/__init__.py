"""Forms parse and explain; services decide."""
