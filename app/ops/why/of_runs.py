"""Why a run waits, decided from facts. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.ops.why.crew import Crew
from app.ops.why.facts import Obstacle, RunFacts, Traffic
from app.ops.why.line import Taken, busy_slots
from app.ops.why.reasons import Telling, Why, WhyCode, first_of
from app.runs.states import TERMINAL, Reason, RunState

_LONGEST_ERROR = 300
_NEVER_STARTED = {
    RunState.SKIPPED: WhyCode.SKIPPED,
    RunState.MISSED: WhyCode.MISSED,
    RunState.CANCELLED: WhyCode.CANCELLED,
}
_BY_REASON = {
    Reason.OVERLAP: WhyCode.PREVIOUS_RUN,
    Reason.NEEDS_CONNECTION: WhyCode.NEEDS_CONNECTION,
    Reason.LEFT_CODE: WhyCode.LEFT_CODE,
}


def why_run_waits(run: RunFacts, crew: Crew, traffic: Traffic, telling: Telling) -> Why:
    """The first cause that alone would hold the run back, with the others; or what it does instead of waiting."""
    if run.state in TERMINAL:
        return _end(run, telling)
    if run.state is RunState.RUNNING:
        since = run.started_at or run.ready_at
        return Why(WhyCode.RUNNING, f"It has been running since {telling.at(since)}.", since=since)
    if run.state is RunState.READY:
        return first_of(_Ready(run, crew, traffic, telling).causes())
    return first_of(_causes_of_wait(run, crew, telling))


def why_left_out(state: RunState, reason: Reason | None, error: str | None) -> Why | None:
    """Why a run that has ended never started, or was ended before its time; None when it ran."""
    if state not in _NEVER_STARTED:
        return None
    code = _NEVER_STARTED[state]
    if state is RunState.SKIPPED and reason is not None:
        code = _BY_REASON.get(reason, code)
    return Why(code, error or f"It was {state.value}.")


def scheduler_silence(crew: Crew, telling: Telling) -> Why | None:
    """That no scheduler keeps time; None while one does."""
    if crew.keeps_time:
        return None
    last = crew.kept_time_at
    how = "Start one with: belfry up, belfry worker or belfry scheduler"
    if last is None:
        return Why(WhyCode.SCHEDULER_SILENT, f"No scheduler is running. {how}")
    # One that ended in good order is no riddle: its log has nothing to tell.
    what = "No scheduler is running" if crew.has_signed_off else "No scheduler has kept time"
    words = f"{what} since {telling.at(last)}. {how}"
    return Why(WhyCode.SCHEDULER_SILENT, words, since=last)


def _end(run: RunFacts, telling: Telling) -> Why:
    left_out = why_left_out(run.state, run.reason, run.error)
    if left_out is not None:
        return left_out
    at = run.started_at or run.due_at
    return Why(WhyCode.RAN, f"It ran: it started at {telling.at(at)} and {run.state.value}.", since=at)


def _causes_of_wait(run: RunFacts, crew: Crew, telling: Telling) -> Iterator[Why]:
    """Those of a run that is not in line yet: it waits for another one, or for its time."""
    waits_for = _what_it_waits_for(run, telling)
    # Workers see to it in passing as well; but where they are idle, nobody looks whether the wait is over.
    silence = scheduler_silence(crew, telling)
    found = [one for one in (waits_for, silence) if one is not None]
    yield from found or [Why(WhyCode.STARTING, "Its wait is over. It goes on within seconds.")]


def _what_it_waits_for(run: RunFacts, telling: Telling) -> Why | None:
    if run.state is RunState.WAITING_RETRY and run.ready_at > telling.now:
        error = _first_line(run.error)
        if run.reason is Reason.DEFERRED:
            words = f"{error or 'It was put off.'} It goes on at {telling.at(run.ready_at)}, and has used no try."
            return Why(WhyCode.DEFERRED, words, until=run.ready_at)
        words = f"Its last try failed: {error}" if error else "Its last try failed."
        then = f"The next one starts at {telling.at(run.ready_at)}."
        return Why(WhyCode.NEXT_TRY, f"{words} {then}", until=run.ready_at)
    if run.reason is Reason.CHILDREN and run.children_left:
        words = f"{run.children_left} of {run.children} runs that it started have not ended yet."
        return Why(WhyCode.CHILDREN, f"{words} It goes on when they have.")
    if run.reason is Reason.OVERLAP and run.obstacle is not None:
        return _previous_run(run.obstacle, telling)
    return None


def _previous_run(obstacle: Obstacle, telling: Telling) -> Why:
    then = (
        "This schedule runs once at a time, so it starts when that one has ended. "
        "To have it end sooner, an operator can cancel that run on its page."
    )
    if obstacle.started_at is None:
        since, what = obstacle.created_at, "is still waiting"
    else:
        since, what = obstacle.started_at, "is still going"
    words = f"The previous run ({obstacle.run_id}) {what}, for {telling.length_since(since)} now. {then}"
    return Why(WhyCode.PREVIOUS_RUN, words, since=since, run_id=obstacle.run_id)


@dataclass(frozen=True)
class _Ready:
    """A run that is in line, or that a worker has been called for."""

    run: RunFacts
    crew: Crew
    traffic: Traffic
    telling: Telling

    def causes(self) -> Iterator[Why]:
        """Each that alone would hold it back: first what a person has to see to, then what passes by itself."""
        found = [*self._pause(), *self._workers(), *self._time()]
        if not self.run.is_hinted:
            found += self._limits()
        if not any(one.code in {WhyCode.NO_WORKER, WhyCode.WORKER_PROBLEM} for one in found):
            found += self._busy()
        yield from found or [self._next()]

    def _pause(self) -> Iterator[Why]:
        pause = self.run.pause
        if pause is not None:
            since = self.telling.at(pause.paused_at)
            words = f"Its queue “{self.run.queue}” is paused, by {pause.paused_by} since {since}."
            then = "It starts when a platform admin resumes the queue on the Queue page."
            yield Why(WhyCode.QUEUE_PAUSED, f"{words} {then}", since=pause.paused_at, by=pause.paused_by)

    def _workers(self) -> Iterator[Why]:
        queue, serving = self.run.queue, self.crew.serving(self.run.queue)
        if not serving:
            since = self.crew.served_until(queue)
            when = f"since {self.telling.at(since)}" if since else "and none was heard of within the last day"
            words = f"No worker serves its queue “{queue}” {when}. Start one: belfry worker --queues {queue}"
            yield Why(WhyCode.NO_WORKER, words, since=since)
        elif all(row.problem for row in serving):
            row = serving[0]
            words = f"No worker that serves its queue “{queue}” starts anything. {row.name}: {row.problem}"
            yield Why(WhyCode.WORKER_PROBLEM, words)

    def _time(self) -> Iterator[Why]:
        run = self.run
        if run.ready_at > self.telling.now:
            yield Why(WhyCode.NEXT_TRY, f"It may start at {self.telling.at(run.ready_at)}.", until=run.ready_at)
        if run.rate_limited is not None and run.rate_limited.until > self.telling.now and not run.is_hinted:
            until = run.rate_limited.until
            said = f" It says: {run.rate_limited.explanation}" if run.rate_limited.explanation else ""
            words = f"The account that it calls takes no calls until {self.telling.at(until)}; then it goes on.{said}"
            yield Why(WhyCode.CONNECTION_RATE_LIMITED, words, until=until)

    def _limits(self) -> Iterator[Why]:
        taken, limits = self._taken, self.run.limits
        for code, limit, number, whose in (
            (WhyCode.CONNECTION_LIMIT, limits.connection, taken.connection, "its connection"),
            (WhyCode.JOB_LIMIT, limits.job, taken.job, "its job"),
            (WhyCode.ORGANIZATION_LIMIT, limits.organization, taken.organization, "your organization"),
            (WhyCode.QUEUE_LIMIT, limits.queue, taken.queue, f"the queue “{self.run.queue}”"),
        ):
            if limit is not None and number >= limit:
                words, then = _limit_words(limit, number, whose), _who_raises(code, self.run)
                yield self._in_line(code, words, then, limit=limit, taken=number)
        yield from self._rate()

    def _rate(self) -> Iterator[Why]:
        rate = self.run.rate
        if rate is not None and rate.left(self.telling.now) < 1:
            seconds = "a second" if rate.seconds == 1 else f"in {rate.seconds} seconds"
            words = f"At most {_runs(rate.starts)} of the queue “{self.run.queue}” may start {seconds}."
            yield self._in_line(WhyCode.QUEUE_RATE, f"{words} It starts when it is its turn.", limit=rate.starts)

    def _busy(self) -> Iterator[Why]:
        open_ones = [row for row in self.crew.serving(self.run.queue) if row.problem is None]
        slots = sum(row.slots for row in open_ones)
        busy = busy_slots(self.traffic.active, {row.name for row in open_ones})
        if slots and busy >= slots:
            words = f"All {slots} slots of the workers that serve its queue are taken. It starts when one is free."
            then = f"Another worker would take it sooner: belfry worker --queues {self.run.queue}"
            yield self._in_line(WhyCode.WORKERS_BUSY, words, then, limit=slots, taken=busy)

    def _next(self) -> Why:
        if self.run.is_hinted:
            return Why(WhyCode.STARTING, "A worker has been called for it. It starts as soon as one takes it.")
        return self._in_line(WhyCode.STARTING, "Nothing holds it back. It starts as soon as a worker takes it.")

    @property
    def _taken(self) -> Taken:
        return Taken.of(self.run, self.traffic)

    def _in_line(
        self, code: WhyCode, words: str, then: str = "", *, limit: int | None = None, taken: int | None = None
    ) -> Why:
        """A cause with the place in line, and at last what to do about it."""
        if self.run.is_hinted:
            return Why(code, f"{words} {then}".strip(), limit=limit, taken=taken)
        place, before = self.run.place, self._taken.before
        whole = f"{words} {_place_words(place, before)} {then}".strip()
        return Why(code, whole, limit=limit, taken=taken, position=place, before=before)


def _limit_words(limit: int, number: int, whose: str) -> str:
    if limit < 1:
        # Nothing writes such a limit; whatever has, this one does not pass by itself.
        return f"The limit of {whose} is {limit}, so nothing of it ever starts."
    going = "1 does" if number == 1 else f"{number:,} do"
    return f"At most {_runs(limit)} of {whose} may go on at once, and {going}. It starts when one ends."


def _who_raises(code: WhyCode, run: RunFacts) -> str:
    """Who can raise a limit, and where."""
    if code is WhyCode.CONNECTION_LIMIT:
        return "That limit keeps runs from spending an account's quota twice; nobody raises it here."
    if code is WhyCode.JOB_LIMIT and run.job_source is not None:
        return f"The code says that limit, in {run.job_source}: change it there."
    if code is WhyCode.JOB_LIMIT:
        return (
            "An admin of the organization can raise that limit: “Runs at once” in the form of the job, or "
            f"belfry jobs edit {run.job_id} --concurrency NUMBER"
        )
    if code is WhyCode.ORGANIZATION_LIMIT:
        where = "on the Queue page under “Limits of organizations”, or with: belfry organizations limit NAME NUMBER"
    else:
        where = f"on the page of the queue, or with: belfry queue set {run.queue} --at-once NUMBER"
    return f"A platform admin can raise that limit {where}"


def _place_words(place: int, before: int) -> str:
    if before == 0:
        return "It is one of the next."
    others = "1 run starts" if before == 1 else f"{before:,} runs start"
    return f"In your organization's line it is number {place:,}; about {others} before it."


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number:,} runs"


def _first_line(text: str | None) -> str:
    line = (text or "").strip().partition("\n")[0]
    return line if len(line) <= _LONGEST_ERROR else f"{line[:_LONGEST_ERROR]}…"
