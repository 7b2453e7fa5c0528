"""Figures of outside accounts: landed exactly and idempotently, and read from our own tables alone."""
