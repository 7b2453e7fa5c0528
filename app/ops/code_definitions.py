"""What the code of this installation defines: functions on offer, jobs, schedules, and what is wrong with them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from app.core.config import Environment, Settings
from app.core.errors import Invalid
from app.jobs.code_rows import CodeJob, row_of_function, row_of_group
from app.jobs.kinds.code.catalog import Catalog, CodeFunction
from app.jobs.kinds.code.declared import DeclaredSchedule, Group
from app.jobs.kinds.code.loading import CodeProblem, load_modules
from app.jobs.kinds.code.names import is_name
from app.jobs.kinds.code.said import kind_and_words
from app.notifications.signals import CANARY_SCHEDULE
from app.ops.canary.job import MODULE as CANARY_MODULE
from app.schedules.code_origin import CodeSchedule, check_declared

# How the version of definitions begins of which some module could not be loaded; no digest has such a letter.
PART = "part-"
BUILT_IN_JOB_MODULES = ("app.jobs.kinds.code.http_check", "app.ops.code_jobs")


@dataclass(frozen=True)
class Definitions:
    """Functions on offer, and of the operator's modules the jobs and the schedules of this environment.

    `elsewhere` are the ids of schedules that are there for other environments alone.
    Without `is_complete` a module could not be loaded, so that nobody knows what is missing.
    """

    functions: Catalog
    jobs: tuple[CodeJob, ...]
    schedules: tuple[CodeSchedule, ...]
    problems: tuple[CodeProblem, ...]
    modules: tuple[str, ...]
    is_complete: bool
    elsewhere: frozenset[str] = frozenset()

    @property
    def troubled_jobs(self) -> frozenset[str]:
        """Names of the jobs that are there, and cannot be used as they stand."""
        return frozenset(each.job for each in self.problems if each.job is not None)

    @property
    def troubled_schedules(self) -> frozenset[str]:
        """Ids of the schedules that are there, and cannot be used as they stand."""
        return frozenset(each.schedule for each in self.problems if each.schedule is not None)

    @property
    def digest(self) -> str:
        """The same for the same definitions, on every machine."""
        # As they are stored, for sets come in another order each time.
        jobs = [{**vars(one), "policies": one.policies.columns} for one in self.jobs]
        facts = [*jobs, *(vars(one) for one in self.schedules)]
        return sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()

    @property
    def version(self) -> str:
        """What they are known by once they were put in force. A part of some code is never taken for all of it."""
        return self.digest if self.is_complete else f"{PART}{self.digest[len(PART) :]}"


def load_definitions(settings: Settings) -> Definitions:
    """Everything that Belfry and the modules of BELFRY_JOBS declare. Never raises for what is wrong with a module."""
    # The canary comes first: nothing of the operator's takes its place.
    canary = (CANARY_MODULE,) if settings.canary else ()
    own, built_in = load_modules((*canary, *settings.job_modules)), load_modules(BUILT_IN_JOB_MODULES)
    jobs = {name: one for name, one in own.functions.items() if name not in built_in.functions}
    problems = [*own.problems, *_name_taken(own.functions, built_in.functions), *_lacking(jobs.values())]
    schedules, twice = _without_twins(own.schedules, settings.env)
    problems += twice
    checked, used = [], []
    for one in schedules:
        try:
            found = replace(check_declared(one, jobs=jobs), is_on_at_first=_is_canary(one, settings))
        except Exception as error:  # noqa: BLE001 - one that is odd in a way nobody thought of costs itself alone
            problems += _refused(one, error, settings.env)
            if _may_be_for(one, settings.env):
                # What it said before goes on, and with it the job that it starts.
                used.append(one)
            continue
        if _is_for(one, settings.env):
            used.append(one)
            checked.append(found)
    return Definitions(
        functions={**own.functions, **built_in.functions},
        jobs=(*map(row_of_function, jobs.values()), *_group_rows(used)),
        schedules=tuple(checked),
        problems=tuple(sorted(problems, key=lambda each: each.source)),
        modules=(*built_in.modules, *own.modules),
        is_complete=own.is_complete,
        elsewhere=_elsewhere(schedules, settings.env),
    )


def _is_canary(one: DeclaredSchedule, settings: Settings) -> bool:
    return settings.canary and one.id == CANARY_SCHEDULE


def _name_taken(own: Mapping[str, CodeFunction], built_in: Mapping[str, CodeFunction]) -> Iterable[CodeProblem]:
    for name, function in own.items():
        first = built_in.get(name)
        if first is not None and first is not function:
            yield CodeProblem(function.source, f"There is a job “{name}” already, at {first.source}. Rename this one.")


def _lacking(jobs: Iterable[CodeFunction]) -> Iterable[CodeProblem]:
    for job in jobs:
        if job.group is not None and not job.starts_by_itself:
            names = " and ".join(f"“{name}”" for name in job.signature.required)
            text = f"Job “{job.name}” is of the group “{job.group}”, which starts it by itself: give {names} a default."
            yield CodeProblem(job.source, text)


def _refused(one: DeclaredSchedule, error: Exception, environment: Environment) -> Iterable[CodeProblem]:
    """The mistake. One of another environment costs nothing here, and is told where code is made, not where it runs."""
    said = error.message if isinstance(error, Invalid) else f"It cannot be used: {kind_and_words(error)}."
    text = f"Schedule “{one.id}”: {said}"
    if _may_be_for(one, environment):
        yield CodeProblem(one.source, text, schedule=one.id)
    elif environment is Environment.DEVELOPMENT:
        yield CodeProblem(one.source, text)


def _without_twins(
    schedules: Iterable[DeclaredSchedule], environment: Environment
) -> tuple[list[DeclaredSchedule], list[CodeProblem]]:
    """The schedules, without those whose id another one of this environment has; each of these is named.

    Those of other environments are compared there: one id may stand for two schedules that never meet.
    """
    known: dict[str, DeclaredSchedule] = {}
    kept, problems = [], []
    for one in schedules:
        first = known.setdefault(one.id, one) if _is_for(one, environment) else one
        if first is one:
            kept.append(one)
        else:
            text = f"There is a schedule “{one.id}” already, at {first.source}. Rename one."
            problems.append(CodeProblem(one.source, text))
    return kept, problems


def _is_for(one: DeclaredSchedule, environment: Environment) -> bool:
    return one.environments is None or environment.value in one.environments


def _elsewhere(schedules: Iterable[DeclaredSchedule], environment: Environment) -> frozenset[str]:
    here = {one.id for one in schedules if _may_be_for(one, environment)}
    return frozenset(one.id for one in schedules) - here


def _may_be_for(one: DeclaredSchedule, environment: Environment) -> bool:
    """The same of one with a mistake, which may be in the environments: then nobody knows, and it is kept."""
    names = set(one.environments or ())
    return _is_for(one, environment) or not names or not names <= set(Environment)


def _group_rows(schedules: Iterable[DeclaredSchedule]) -> Iterable[CodeJob]:
    first: dict[str | None, str] = {}
    for one in schedules:
        if isinstance(one.run, Group) and (one.run.name is None or is_name(one.run.name)):
            first.setdefault(one.run.name, one.source)
    return [row_of_group(group, source=source) for group, source in first.items()]
