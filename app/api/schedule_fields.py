"""The fields that several requests about schedules share, each with what is said about it in the document."""

from typing import Annotated

from pydantic import Field

from app.api.models import Int32, Moment
from app.schedules.clock_changes import ClockChange
from app.schedules.policies import MOST_MADE_UP
from app.schedules.policy_fields import LONGEST_NOTES
from app.schedules.tags import MOST_TAGS

LONGEST_SPREAD_KEY = 64

CronText = Annotated[
    str,
    Field(
        description="When it runs: one to five cron lines, an interval such as “every 90 minutes from 2027-01-31 "
        "08:00”, or one to ten single times such as “at 2027-12-24 18:00”, one a line.",
        examples=["0 2 * * *"],
    ),
]
HasSeconds = Annotated[
    bool, Field(description="Whether a cron line may have a sixth field, seconds, which comes first.")
]
OnClockChange = Annotated[
    ClockChange,
    Field(description="What a fixed time does when the clocks change. Not of intervals in minutes or hours."),
]
StartsAt = Annotated[Moment | None, Field(description="No slot lies before it.")]
EndsAt = Annotated[Moment | None, Field(description="No slot lies at it or after it.")]
Tags = Annotated[
    list[str],
    Field(
        max_length=4 * MOST_TAGS,
        description=f"Words to find it by: at most {MOST_TAGS}, of letters, digits and - _ . :, in lower case.",
        examples=[["finance", "nightly"]],
    ),
]
ZoneName = Annotated[str, Field(description="An IANA name.", examples=["Europe/Berlin"])]
SpreadKey = Annotated[str, Field(max_length=LONGEST_SPREAD_KEY, description="What H in the cron line is spread by.")]
MaxAge = Annotated[
    Int32,
    Field(
        description="In seconds: a missed slot that is older is not made up for. Not less than the shortest time "
        "between two slots."
    ),
]
MissedLimit = Annotated[
    Int32, Field(description=f"How many are made up for at most, with `missed` all: 1 to {MOST_MADE_UP}.")
]
Notes = Annotated[str, Field(max_length=LONGEST_NOTES, description="What operators want each other to know.")]
