"""The Data API as far as reports go: who may ask, what is answered, what is refused, and what that costs."""

import json
import re
from collections import deque
from datetime import date, datetime, timedelta
from typing import Any

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.ga4 import refusals, scenarios
from tests.fakes.providers.ga4.refusals import Refused
from tests.fakes.providers.ga4.reports import make_page, read_query
from tests.fakes.providers.ga4.truth import Property, figures
from tests.fakes.providers.google.fake import GoogleFake
from tests.fakes.providers.wire import Answer, Call

SCOPE = "https://www.googleapis.com/auth/analytics.readonly"
# What a report costs here; at Google it depends on how much it asks for.
TOKENS_PER_REPORT = 10
_PROPERTY = re.compile(r"/v1beta/properties/(?P<id>[^/:]+)(?P<rest>:runReport|/metadata)")
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class Ga4Fake:
    """One installation of Google Analytics with a few properties."""

    name = "ga4"
    scenarios: tuple[str, ...] = scenarios.NAMES

    def __init__(self, google: GoogleFake) -> None:
        self.properties: dict[str, Property] = {}
        self._google = google
        self._asked: dict[str, deque[datetime]] = {}

    def reset(self, scenario: str, now: datetime) -> None:
        self.properties = self.build(scenario, now)
        self._asked.clear()

    def build(self, scenario: str, now: datetime) -> dict[str, Property]:
        """The data of a scenario. A fake with scenarios of its own has its own."""
        return scenarios.build(scenario, now)

    def route_of(self, call: Call) -> str:
        """A report without an offset is the short one that shows what a property is."""
        found = _PROPERTY.fullmatch(call.path)
        if found is None:
            return "unknown"
        if found["rest"] == "/metadata":
            return "metadata"
        return "report" if '"offset"' in call.text else "glance"

    def meets(self, fault: Fault, call: Call) -> bool:
        """`offset_over` lets a fault hit only pages that begin behind so many rows."""
        if "offset_over" not in fault.options:
            return True
        offset, behind = json.loads(call.text or "{}").get("offset", 0), fault.options["offset_over"]
        return int(offset) > int(behind)

    def mutate(self, change: dict[str, Any], now: datetime) -> None:
        self.properties[change["property"]].mutate(change)

    def oracle(self, query: dict[str, str], now: datetime) -> list[dict[str, Any]]:
        found = self.properties[query["account"]]
        since, until = date.fromisoformat(query["since"]), date.fromisoformat(query["until"])
        return list(figures(found, query.get("level", "channel"), since, until, now))

    def answer(self, call: Call, fault: Fault | None, now: datetime) -> Answer:
        """What Google would say, or what the fault makes of it."""
        if fault is not None and fault.fault == "expired_token":
            # As if its hour were over: another token is good again.
            self._google.forget(call.bearer)
        try:
            return (refusals.refusal_of(fault) if fault else None) or self._true_answer(call, fault, now)
        except Refused as refused:
            return refused.answer

    def _true_answer(self, call: Call, fault: Fault | None, now: datetime) -> Answer:
        route = self.route_of(call)
        if route == "unknown":
            return Answer.of_html(404, "<html><title>Error 404 (Not Found)!!1</title></html>")
        found = self._reachable(call, now)
        if route == "metadata":
            return Answer.of_json({"name": f"properties/{found.id}/metadata", "dimensions": [], "metrics": []})
        query = read_query(json.loads(call.text), found.today(now))
        self._refuse_over_quota(found, now)
        said = make_page(found, query, fault, now)
        if query.wants_quota:
            said["propertyQuota"] = self._quota(found, fault, now)
        return Answer.of_json(said)

    def _reachable(self, call: Call, now: datetime) -> Property:
        email = self._google.email_of(call.bearer, SCOPE, now)
        if email is None:
            raise Refused(refusals.unauthenticated())
        parts = _PROPERTY.fullmatch(call.path)
        assert parts is not None
        if not parts["id"].isdecimal():
            words = f"Invalid property ID: {parts['id']}. A numeric Property ID is required."
            raise Refused(refusals.invalid(words))
        found = self.properties.get(parts["id"])
        if found is None or email not in found.viewers:
            raise Refused(refusals.no_permission())
        return found

    def _refuse_over_quota(self, found: Property, now: datetime) -> None:
        asked = self._asked.setdefault(found.id, deque())
        while asked and asked[0] + _DAY <= now:
            asked.popleft()
        if self._used(found, _DAY, now) + TOKENS_PER_REPORT > found.tokens_per_day:
            raise Refused(refusals.limited("day"))
        if self._used(found, _HOUR, now) + TOKENS_PER_REPORT > found.tokens_per_hour:
            raise Refused(refusals.limited("hour"))
        asked.append(now)

    def _used(self, found: Property, span: timedelta, now: datetime) -> int:
        return TOKENS_PER_REPORT * sum(1 for at in self._asked[found.id] if at + span > now)

    def _quota(self, found: Property, fault: Fault | None, now: datetime) -> dict[str, Any]:
        hour = self._used(found, _HOUR, now)
        left = {
            "tokensPerDay": found.tokens_per_day - self._used(found, _DAY, now),
            "tokensPerHour": found.tokens_per_hour - hour,
            "concurrentRequests": 10,
            "serverErrorsPerProjectPerHour": 10,
            "potentiallyThresholdedRequestsPerHour": 120,
            "tokensPerProjectPerHour": max(0, found.tokens_per_hour * 35 // 100 - hour),
        }
        if fault is not None and fault.fault == "near_limit":
            left[fault.options.get("of", "tokensPerHour")] = fault.options.get("left", 5)
        # Whatever is zero is left out, as in all of Google's JSON.
        return {
            name: {"consumed": TOKENS_PER_REPORT if "tokens" in name else 0} | ({"remaining": many} if many else {})
            for name, many in left.items()
        }
