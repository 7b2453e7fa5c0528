"""What a request has to pass before its operation runs: who asks, how often, and whether they may."""

from flask import Response, current_app, g, request

from app.api.blueprint import api
from app.api.late_counters import RateLimits
from app.api.rates import WRONG_TOKENS, Allowance
from app.edge.database import SAFE_METHODS
from app.edge.forgery import refuse_cross_site, refuse_forgery
from app.edge.identity import TokenRefused, accept_bearer, current_token, signed_in_session
from app.edge.permissions import Access, enforce
from app.edge.runtime import runtime
from app.tenants.tries import network_of

LIMITS = "belfry.api.limits"
_ALLOWANCE = "api_allowance"


def admit(access: Access) -> None:
    """Let a request in. Raises TooManyRequests, SchemaNotReady, SignInNeeded, Forbidden or a forgery's error."""
    _accept_token()
    allowance = rate_limits().hit(rate_limits().requests, _caller(access))
    setattr(g, _ALLOWANCE, allowance)
    allowance.refuse_if_spent()
    enforce(access)
    # Browsers send their cookie whoever made them; nobody but the program itself sends its token.
    if not access.is_public and request.method not in SAFE_METHODS and signed_in_session() is not None:
        refuse_cross_site()
        refuse_forgery()


@api.after_request
def tell_allowance(response: Response) -> Response:
    """Say in every answer how much is left."""
    allowance: Allowance | None = g.get(_ALLOWANCE)
    if allowance is not None:
        response.headers.extend(allowance.headers)
    return response


def rate_limits() -> RateLimits:
    """The counters of this app."""
    found: RateLimits = current_app.extensions[LIMITS]
    return found


def check_bearer(token: str) -> None:
    """Let a token say who asks, where it may not come with every request. Raises TokenRefused and TooManyRequests."""
    accept_bearer(token)
    _token_at(_place())


def _accept_token() -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    # Other schemes are a proxy's own: browsers behind it send them beside our cookie.
    if scheme.lower() == "bearer":
        accept_bearer(token.strip())


def _caller(access: Access) -> str:
    """Who is counted: a token, a person in a browser, or where a request without either comes from."""
    place = _place()
    # Without tables there is nobody to find, and what is open to everybody works with an old token too.
    if access.is_public or not runtime().schema.is_current():
        return place
    token = _token_at(place)
    if token is not None:
        return token
    session = signed_in_session()
    return place if session is None else f"user {session.user_id}"


def _place() -> str:
    return f"address {network_of(request.remote_addr or '')}"


def _token_at(place: str) -> str | None:
    if "bearer" in g:
        # Before the database is asked, or a flood of wrong tokens would be one of queries.
        wrong = rate_limits().look(WRONG_TOKENS, place)
        if wrong.is_spent:
            setattr(g, _ALLOWANCE, wrong)
        wrong.refuse_if_spent()
    try:
        token = current_token()
    except TokenRefused:
        setattr(g, _ALLOWANCE, rate_limits().hit(WRONG_TOKENS, place))
        raise
    return None if token is None else f"token {token.token_id}"
