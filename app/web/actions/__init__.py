"""POST: one service call, then a fragment or a 303."""
