"""Reads Meta ad accounts."""
