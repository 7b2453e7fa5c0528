"""Python functions found by name, each run in a process of its own."""
