"""GET: whole pages and the fragments they are made of."""
