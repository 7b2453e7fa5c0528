"""Reads properties of Google Analytics 4, by reports of its Data API."""
