"""Every module that adds routes to the blueprint, imported once: a page exists when it is listed here."""

from app.web.actions import account as account_actions
from app.web.actions import jobs as job_actions
from app.web.actions import runs as run_actions
from app.web.actions import schedules as schedule_actions
from app.web.blueprint import web
from app.web.pages import account, jobs, live, overview, queue, runs, schedules, ways_back

MODULES = (
    account,
    account_actions,
    jobs,
    job_actions,
    live,
    overview,
    queue,
    run_actions,
    runs,
    schedule_actions,
    schedules,
    ways_back,
)

__all__ = ["MODULES", "web"]
