"""One package per kind; no kind knows another."""
