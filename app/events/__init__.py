"""Append-only facts: the one way up."""
