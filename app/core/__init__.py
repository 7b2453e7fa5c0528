"""No word of the domain below this line."""
