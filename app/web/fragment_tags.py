"""Tags of fragments: a refresh that would change nothing on the screen is answered by 304, and nothing is swapped."""

import re
from hashlib import sha256
from typing import cast

from flask import Flask, Response, request, session

from app.edge.database import SAFE_METHODS
from app.web.responses import wants_fragment

# What is another text in each answer and is not seen: tokens, and the distance of times, which the page itself counts.
_NEVER_THE_SAME = re.compile(
    rb'(?<=name="csrf_token" value=")[^"]*|(?<=name="request_key" value=")[^"]*|(?<= data-relative="past">)[^<]*|'
    rb'(?<= data-relative="due">)[^<]*'
)


def install_fragment_tags(app: Flask) -> None:
    """Tag the fragments that the app answers."""
    app.after_request(_tag)


def _tag(response: Response) -> Response:
    is_page_part = response.status_code == 200 and response.mimetype == "text/html" and not response.is_streamed
    if request.method not in SAFE_METHODS or not is_page_part or not wants_fragment():
        return response
    # Whoever signed in anew needs the tokens of their new session, whatever else is the same.
    content = _NEVER_THE_SAME.sub(b"", response.get_data()) + str(session.get("csrf_token")).encode()
    response.set_etag(sha256(content).hexdigest()[:16], weak=True)
    return cast("Response", response.make_conditional(request))
