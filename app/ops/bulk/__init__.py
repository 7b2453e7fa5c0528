"""Doing one thing to many: a snapshot of what was selected, carried out piece by piece, told of and undone."""
