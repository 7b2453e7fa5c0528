"""Texts on their way to a terminal: whatever is in one, it does not steer the terminal of who reads it."""

import click

from app.core.names import visible


def say(text: str, *, err: bool = False) -> None:
    """Print a text for people. What programs read is printed as it is, by click itself."""
    click.echo(visible(text), err=err)
