"""Measurements. Each prints its figures as one JSON object in the last line."""
