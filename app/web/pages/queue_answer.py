"""The queue after something was done to one of its runs: the same list, as its button said where it stood."""

from urllib.parse import parse_qsl

from flask import Response

from app.web.pages.queue_view import queue_view
from app.web.responses import fragment, go_to, wants_fragment

_LONGEST_ADDRESS = 2_000


def queue_again(here: str) -> Response:
    """The list of that query string: its part for a script, else the way back to it."""
    args = dict(parse_qsl(here[:_LONGEST_ADDRESS]))
    view = queue_view(args)
    if wants_fragment():
        return fragment("queue/_queue.html", view=view)
    return go_to(view.href)
