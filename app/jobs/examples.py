"""Examples of jobs and schedules in code, in force unless BELFRY_JOBS names other modules. Every one does real work.

The schedules are off until a platform admin switches them on. Copy what you need into a module of your own.
"""

import re
import time
from importlib import metadata, resources
from pathlib import Path
from typing import Annotated, Any
from xml.etree import ElementTree
from zoneinfo import TZPATH

from pydantic import Field

from app.jobs.code import ALL_JOBS, Context, JobFailed, OutboundRequest, group, job, schedule

MOST_TITLES = 10


@job("example_feed", title="Example: read a feed", group="feed", timeout=120, idempotent=True, platform_only=True)
def read_feed(
    context: Context,
    *,
    url: Annotated[str, Field(title="Feed", description="The address of an RSS or Atom feed. Empty: nothing.")] = "",
) -> dict[str, Any]:
    """Fetches a feed and lists the titles of its newest entries in the log."""
    if not url:
        context.log("No feed was named, so nothing was read. Run it with the address of one.")
        return {"entries": 0}
    response = context.http.send(OutboundRequest("GET", url))
    if response.status != 200:
        raise JobFailed(f"The feed answered {response.status}.")
    try:
        # In a process of its own, within its limits of memory and time, whatever the other side sends.
        tree = ElementTree.fromstring(response.text)  # noqa: S314
    except ElementTree.ParseError as error:
        raise JobFailed(f"The answer is no feed: {error}.", retry=False) from error
    entries = [each for each in tree.iter() if each.tag.rpartition("}")[2] in {"item", "entry"}]
    for entry in entries[:MOST_TITLES]:
        context.log(_title(entry))
    return {"entries": len(entries)}


def _title(entry: ElementTree.Element) -> str:
    titles = [" ".join("".join(each.itertext()).split()) for each in entry if each.tag.rpartition("}")[2] == "title"]
    return titles[0] if titles and titles[0] else "(without a title)"


@job("example_match_zones", title="Example: match time zones", group="matching", idempotent=True, platform_only=True)
def match_zones(context: Context) -> dict[str, int]:
    """Looks which of the time zones that Belfry knows this machine knows as well."""
    ours = resources.files("tzdata").joinpath("zones").read_text().split()
    missing = [name for name in ours if not any(Path(folder, name).is_file() for folder in TZPATH)]
    context.log(f"{len(ours) - len(missing)} of {len(ours)} zones are known to this machine itself, too.")
    return {"zones": len(ours), "only_in_belfry": len(missing)}


@job("example_match_packages", title="Example: match packages", group="matching", idempotent=True, platform_only=True)
def match_packages(context: Context) -> dict[str, int]:
    """Looks whether every Python package has those that it asks for, and fails naming what is missing."""
    installed = {_normal(each.name) for each in metadata.distributions()}
    # What is asked for under a condition may well be missing.
    wanted = {
        _normal(re.split(r"[^\w.-]", text, maxsplit=1)[0])
        for each in metadata.distributions()
        for text in each.requires or []
        if ";" not in text
    }
    missing = sorted(wanted - installed)
    if missing:
        raise JobFailed(f"Not installed: {', '.join(missing)}.", retry=False)
    context.log(f"{len(wanted)} packages are asked for by others, and all are there.")
    return {"installed": len(installed), "asked_for": len(wanted)}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@job("example_quick_test", title="Example: a quick test", isolation="thread", idempotent=True, platform_only=True)
def quick_test(
    context: Context,
    *,
    seconds: Annotated[float, Field(ge=0, le=60, title="Seconds", description="How long to take.")] = 1.0,
    fails: Annotated[bool, Field(title="Fail at the end")] = False,
) -> dict[str, float]:
    """Takes a moment in the worker's own thread, and then succeeds or fails as it is told."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        # Nobody can end a thread from outside.
        context.check_stop()
        time.sleep(0.05)
    if fails:
        raise JobFailed("It was told to fail.", retry=False)
    return {"seconds": seconds}


schedule("daily-full-sync", "0 2 * * *", run=ALL_JOBS, description="Example: every job there is, once a night.")
schedule("hourly-matching", "0 * * * *", run=group("matching"), description="Example: all jobs of one group.")
schedule("feed-refresh", "*/15 * * * *", run=group("feed"), description="Example: all that read feeds.")
schedule(
    "dev-quick-test",
    "*/5 * * * *",
    run="example_quick_test",
    environments=["development"],
    description="Example: exists in development alone.",
)
