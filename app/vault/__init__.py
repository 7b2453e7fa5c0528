"""Secrets of organizations, sealed. What lies here is opened for a running attempt alone."""
