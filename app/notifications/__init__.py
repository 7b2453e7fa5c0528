"""Telling people: events become incidents, rules choose channels, and deliveries are rows before they are messages."""
