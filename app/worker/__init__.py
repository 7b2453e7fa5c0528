"""Composition root of the processes that execute runs and keep time, one module a part."""
