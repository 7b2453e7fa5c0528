"""What the messages of incidents say, as facts; the form of each channel is made of them where it is sent. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.jobs.policies import ErrorClass
from app.notifications.cases import Case
from app.notifications.decisions import Want
from app.notifications.signals import VERSION_RETIRED, News, SubjectKind
from app.notifications.types import DeliveryKind, Facts, Link, LinkKind, NotificationType

# A digest names so many incidents, and counts the others.
MOST_LINES = 10
_LONGEST = 300
_CAUSES: dict[str, str] = {
    ErrorClass.NETWORK: "The service could not be reached.",
    ErrorClass.RATE_LIMITED: "The service asked for fewer calls.",
    ErrorClass.SERVER: "The service itself failed.",
    ErrorClass.REFUSED: "The service refused the login.",
    ErrorClass.REJECTED: "The service answered otherwise than expected.",
    ErrorClass.TIMED_OUT: "The time limit was reached.",
    VERSION_RETIRED: "The service retired the version of its API that Belfry asks for.",
}
_TO_DO_FOR: dict[str, str] = {
    ErrorClass.NETWORK: "See whether the service is up; runs go on by themselves when it is.",
    ErrorClass.RATE_LIMITED: "Nothing, if it passes. Spread the schedules of the connection if it comes back.",
    ErrorClass.SERVER: "See the service's status page; runs go on by themselves when it works.",
    ErrorClass.REFUSED: "Reconnect the connection, then retry what failed.",
    ErrorClass.TIMED_OUT: "See in the log where the time went; raise the limit if it is right.",
    VERSION_RETIRED: "Ask whoever runs Belfry to update it or to set the version. Figures come in until then.",
}
_TO_DO: dict[NotificationType, str] = {
    NotificationType.RUN_FAILED: "Open the run, read its log, and retry it.",
    NotificationType.CONNECTION_EXPIRING: "Replace the login before it ends.",
    NotificationType.CONNECTION_EXPIRED: "Reconnect it; what was paused goes on then.",
    NotificationType.RATE_LIMITED: "Nothing: it goes on by itself.",
    NotificationType.LATE: "See what it waits for.",
    NotificationType.MISSED_SLOTS: "See whether they are to be made up, and run them.",
    NotificationType.LONGER_THAN_USUAL: "See its log; cancel it if it hangs.",
    NotificationType.STUCK: "See its log; cancel it if it hangs.",
    NotificationType.DATA_STALE: "See the last runs of the connection.",
    NotificationType.DATA_AT_RISK: "See whether the next run is early enough.",
    NotificationType.SUSPICIOUS_SYNC: "Compare with the service, and read the days again if it is wrong.",
    NotificationType.QUEUE_BACKLOG: "Add workers or slots, or move work to another hour.",
    NotificationType.SYSTEM_SILENT: "See whether the process runs, and start it.",
    NotificationType.SCHEDULE_SET_ASIDE: "Open the schedule and save it with a time that can be.",
    NotificationType.CHANNEL_BROKEN: "Open the channel, mend it and send a test.",
}
_LINKS: dict[str, LinkKind] = {
    SubjectKind.SCHEDULE: LinkKind.SCHEDULE,
    SubjectKind.JOB: LinkKind.JOB,
    SubjectKind.CONNECTION: LinkKind.CONNECTION,
    SubjectKind.QUEUE: LinkKind.QUEUE,
    SubjectKind.SYSTEM: LinkKind.SYSTEM,
    SubjectKind.CHANNEL: LinkKind.CHANNELS,
}


@dataclass(frozen=True)
class Whose:
    """The organization that is told."""

    name: str
    zone: str


@dataclass(frozen=True)
class Around:
    """What is looked up for a message by itself: when it is next tried, and when it last went well."""

    next_try_at: datetime | None = None
    last_success_at: datetime | None = None


NOTHING_AROUND = Around()


def facts_of(want: Want, whose: Whose, around: Around = NOTHING_AROUND) -> Facts:
    """The facts of a message by itself."""
    if want.news is not None:
        return _of_news(want.news, whose)
    assert want.case is not None
    case = want.case
    is_over = not case.is_open
    return Facts(
        type=NotificationType.RECOVERED if want.kind is DeliveryKind.RECOVERED and case.has_recovered else case.type,
        kind=want.kind,
        title=title_of(case),
        what=case.text[:_LONGEST] if not is_over else _ending(case),
        since=case.opened_at,
        until=case.closed_at,
        nth=case.most_in_a_row if case.type is NotificationType.RUN_FAILED and not is_over else None,
        count=case.happened,
        things=things_of(case),
        next_try_at=None if is_over else around.next_try_at,
        last_success_at=around.last_success_at,
        error=case.text[:_LONGEST] or None,
        cause=_CAUSES.get(case.error_class or ""),
        to_do=None if is_over else _TO_DO_FOR.get(case.error_class or "") or _TO_DO.get(case.type),
        organization=whose.name,
        zone=whose.zone,
        tags=tuple(case.about.tags[:10]),
        service=next(iter(case.about.services), None),
        missed_slots=case.missed_slots if is_over else None,
        made_up=case.made_up if is_over else None,
        reopened=case.reopened,
        is_acknowledged=case.acknowledged_by is not None,
        links=links_of(case),
        names=_names(case),
    )  # fmt: skip


def digest_of(wants: Sequence[Want], whose: Whose) -> Facts:
    """The facts of several messages in one."""
    told = sum(want.kind in (DeliveryKind.OPENED, DeliveryKind.REMINDER) for want in wants)
    over = sum(want.kind is DeliveryKind.RECOVERED for want in wants)
    news = len(wants) - told - over
    parts = [
        (told, "incident", "incidents", "open"),
        (over, "incident", "incidents", "over"),
        (news, "other message", "other messages", ""),
    ]
    title = ", ".join(
        f"{count:,} {one if count == 1 else many} {how}".strip() for count, one, many, how in parts if count
    )
    lines = [line_of(want) for want in wants[:MOST_LINES]]
    if len(wants) > MOST_LINES:
        lines.append(f"and {len(wants) - MOST_LINES:,} more")
    first = wants[0]
    return Facts(
        type=first.case.type if first.case is not None else NotificationType.RUN_SUCCEEDED,
        kind=DeliveryKind.DIGEST,
        title=title,
        what="They are told together, because they would be too many messages.",
        since=min((want.case.opened_at for want in wants if want.case is not None), default=None),
        count=len(wants),
        organization=whose.name,
        zone=whose.zone,
        lines=tuple(lines),
        links=(Link(LinkKind.INCIDENT, None, "All incidents"), Link(LinkKind.OVERVIEW, None, "Overview")),
    )


def line_of(want: Want) -> str:
    """One message as a line among others."""
    if want.news is not None:
        return want.news.title
    assert want.case is not None
    if not want.case.is_open:
        return f"Over: {title_of(want.case)}"
    return title_of(want.case) + (f" ({want.case.happened:,} times)" if want.case.happened > 1 else "")


def title_of(case: Case) -> str:
    """What is wrong, in a few words: “40 schedules fail on connection “Shop EU””."""
    things = things_of(case)
    kinds = {thing.kind for thing in case.things.values()} - {SubjectKind.CONNECTION.value} or {case.subject_kind}
    word = "schedules" if kinds == {SubjectKind.SCHEDULE.value} else "jobs and schedules"
    if NotificationType.RUN_FAILED in case.more_types:
        return f"{case.title}, and {things:,} {word} fail" if things > 1 else f"{case.title}, and runs fail"
    if case.type is not NotificationType.RUN_FAILED or things < 2:
        return case.title
    where = "" if case.connection_name is None else f" on connection “{case.connection_name}”"
    return f"{things:,} {word} fail{where}"


def things_of(case: Case) -> int:
    """How many schedules or jobs it concerns; the connection because of which they fail is none of them."""
    has_connection = case.subject_kind == SubjectKind.CONNECTION.value and case.thing_count > 1
    return case.thing_count - has_connection


def links_of(case: Case) -> tuple[Link, ...]:
    """Two of them: the incident, and where something can be done about it."""
    incident = Link(LinkKind.INCIDENT, case.id, "Incident")
    if case.connection_id is not None and (case.thing_count > 1 or case.error_class == ErrorClass.REFUSED):
        return incident, Link(LinkKind.CONNECTION, case.connection_id, "Connection")
    if case.run_id is not None and case.type is not NotificationType.MISSED_SLOTS:
        return incident, Link(LinkKind.RUN, case.run_id, "Run")
    return incident, Link(_LINKS[case.subject_kind], case.subject_id, case.subject_kind.capitalize())


def _of_news(news: News, whose: Whose) -> Facts:
    links = [] if news.run_id is None else [Link(LinkKind.RUN, news.run_id, "Run")]
    if news.schedule_id is not None:
        links.append(Link(LinkKind.SCHEDULE, news.schedule_id, "Schedule"))
    elif news.job_id is not None:
        links.append(Link(LinkKind.JOB, news.job_id, "Job"))
    return Facts(
        type=news.type, kind=DeliveryKind.EVENT, title=news.title, what=news.text, since=news.at,
        nth=news.nth if news.type is NotificationType.RETRYING else None, next_try_at=news.next_try_at,
        error=news.text or None, cause=_CAUSES.get(news.error_class or ""), organization=whose.name, zone=whose.zone,
        tags=news.tags[:10], service=news.service,
        links=tuple(links), names={news.subject.kind.value: news.subject.name},
    )  # fmt: skip


def _ending(case: Case) -> str:
    return case.ending or ("It works again." if case.has_recovered else "It is over.")


def _names(case: Case) -> dict[str, str]:
    thing = case.things.get(case.subject_id)
    names = {} if thing is None else {thing.kind: thing.name}
    return names | ({} if case.connection_name is None else {"connection": case.connection_name})
