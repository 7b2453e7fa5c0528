"""Calls of services: what every reader needs of the outside world, and what is done when it is not as it should be."""
