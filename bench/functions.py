"""Functions to measure with: they end at once, and one says that it has begun."""

from pydantic import BaseModel

from app.jobs.kinds.code.catalog import job
from app.jobs.kinds.code.context import FunctionContext


class Nothing(BaseModel):
    """No arguments."""


@job("say", title="Say", summary="Says a word.", idempotent=True)
def say(context: FunctionContext, arguments: Nothing) -> None:
    """Print at once."""
    print("begun")


@job("do_nothing", title="Do nothing", summary="Ends at once.", idempotent=True)
def do_nothing(context: FunctionContext, arguments: Nothing) -> None:
    """What is left is the start of its process."""
