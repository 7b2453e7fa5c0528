"""Belfry. Empty on purpose: importing one module must not load the whole product."""
