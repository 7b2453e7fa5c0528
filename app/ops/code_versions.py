"""Which definitions from code are in force: those of the version that was loaded last, and by whom it was."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core.questions import Question
from app.core.scopes import PLATFORM, rescoped
from app.jobs.models import CodeVersion
from app.ops.code_definitions import PART, Definitions

# For so long it is remembered which definitions were in force; older ones count as new when they come back.
REMEMBERED = timedelta(days=365)


@dataclass(frozen=True)
class Loaded:
    """A version of the definitions, and by whom and when it was loaded."""

    digest: str
    loaded_by: str
    loaded_at: datetime


def newest_version(session: Session, *, is_whole: bool = False) -> CodeVersion | None:
    """The definitions in force; or, of those that were loaded whole, the newest."""
    with rescoped(session, PLATFORM):
        query = select(CodeVersion).order_by(CodeVersion.loaded_at.desc()).limit(1)
        if is_whole:
            query = query.where(CodeVersion.digest.not_like(f"{PART}%"))
        return session.scalars(query).one_or_none()


def versions_beside(definitions: Definitions) -> tuple[Question[Loaded | None], Question[bool]]:
    """The newest version to hold these definitions against, and whether they were in force once, as far as known.

    To be asked as PLATFORM.
    """
    newest = select(CodeVersion.digest, CodeVersion.loaded_by, CodeVersion.loaded_at)
    newest = newest.order_by(CodeVersion.loaded_at.desc()).limit(1)
    if definitions.is_complete:
        newest = newest.where(CodeVersion.digest.not_like(f"{PART}%"))
    known = select(CodeVersion.digest).where(CodeVersion.digest == definitions.version)
    return Question(newest, lambda rows: Loaded(*rows[0]) if rows else None), Question(known, bool)


def loaded_words(version: CodeVersion | Loaded) -> str:
    """Who loaded definitions, and when."""
    return f"by {version.loaded_by} at {version.loaded_at:%Y-%m-%d %H:%M} UTC"


def take_over(
    session: Session, *, definitions: Definitions, loaded_by: str, is_asked_for: bool, now: datetime
) -> CodeVersion | None:
    """Let these definitions be in force from now on. Returns newer ones where those stay in force instead."""
    with rescoped(session, PLATFORM):
        version, newest = definitions.version, newest_version(session)
        if newest is not None and newest.digest == version:
            return None
        known = session.get(CodeVersion, version)
        # What was loaded in part since then replaced nothing that was loaded whole.
        rival = newest_version(session, is_whole=definitions.is_complete)
        if known is not None and rival is not None and rival.digest != version and not is_asked_for:
            return rival
        # Later than every other one, also after the clock was set back.
        at = now if newest is None else max(now, newest.loaded_at + timedelta(microseconds=1))
        if known is None:
            session.add(CodeVersion(digest=version, loaded_by=loaded_by[:254], loaded_at=at))
        else:
            known.loaded_by, known.loaded_at = loaded_by[:254], at
        session.execute(delete(CodeVersion).where(CodeVersion.loaded_at < now - REMEMBERED))
        session.flush()
    return None
