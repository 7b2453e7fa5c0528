"""A function to measure with: it says that it has begun, and ends."""

from pydantic import BaseModel

from app.jobs.kinds.code.catalog import code_job
from app.jobs.kinds.code.context import FunctionContext


class Nothing(BaseModel):
    """No arguments."""


@code_job(name="say", title="Say", summary="Says a word.", arguments=Nothing, is_idempotent=True)
def say(context: FunctionContext, arguments: Nothing) -> None:
    """Print at once."""
    print("begun")
