"""The signs on the doors of services: what connecting an account asks for. Pure."""
