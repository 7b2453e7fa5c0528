"""The only package that knows huey."""
