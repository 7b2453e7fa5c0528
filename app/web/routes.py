"""Every module that adds routes to the blueprint, imported once: a page exists when it is listed here."""

from app.web import whereabouts
from app.web.actions import account as account_actions
from app.web.actions import bulk as bulk_actions
from app.web.actions import chains as chain_actions
from app.web.actions import channels as channel_actions
from app.web.actions import code_schedules as code_schedule_actions
from app.web.actions import connections as connection_actions
from app.web.actions import deliveries as delivery_actions
from app.web.actions import first_steps as first_step_actions
from app.web.actions import incidents as incident_actions
from app.web.actions import invitation as invitation_actions
from app.web.actions import jobs as job_actions
from app.web.actions import limits as limit_actions
from app.web.actions import mutes, queue_selection
from app.web.actions import notification_rules as notification_rule_actions
from app.web.actions import notification_settings as notification_setting_actions
from app.web.actions import notification_texts as notification_text_actions
from app.web.actions import organizations as organization_actions
from app.web.actions import runs as run_actions
from app.web.actions import saved_views as saved_view_actions
from app.web.actions import schedule_versions as schedule_version_actions
from app.web.actions import schedules as schedule_actions
from app.web.actions import scheduling as scheduling_actions
from app.web.actions import streams as stream_actions
from app.web.actions import stuck_runs as stuck_run_actions
from app.web.actions import system as system_actions
from app.web.actions import team as team_actions
from app.web.actions import tokens as token_actions
from app.web.blueprint import web
from app.web.pages import (
    account,
    audit,
    bulk,
    chains,
    channels,
    code_schedules,
    connections,
    data,
    deleted_schedules,
    deliveries,
    incidents,
    invitation,
    job_detail,
    jobs,
    live,
    notification_rules,
    notification_settings,
    notification_texts,
    notifications,
    organizations,
    overview,
    queue,
    queue_limits,
    queue_workers,
    run_again,
    run_compare,
    run_picks,
    run_questions,
    runs,
    saved_views,
    schedule_history,
    schedule_restore,
    schedule_slots,
    schedules,
    streams,
    stuck_run,
    system,
    team,
    time_zones,
    tokens,
    ways_back,
)
from app.web.pages import (
    help as help_pages,
)

MODULES = (
    account,
    account_actions,
    audit,
    bulk,
    bulk_actions,
    chain_actions,
    chains,
    channel_actions,
    channels,
    code_schedule_actions,
    code_schedules,
    connection_actions,
    connections,
    data,
    deleted_schedules,
    deliveries,
    delivery_actions,
    first_step_actions,
    help_pages,
    incident_actions,
    incidents,
    invitation,
    invitation_actions,
    job_detail,
    jobs,
    job_actions,
    limit_actions,
    live,
    notification_setting_actions,
    notification_settings,
    notification_text_actions,
    notification_texts,
    mutes,
    notification_rule_actions,
    notification_rules,
    notifications,
    organization_actions,
    organizations,
    overview,
    queue,
    queue_limits,
    queue_selection,
    queue_workers,
    run_actions,
    run_again,
    run_compare,
    run_picks,
    run_questions,
    runs,
    saved_view_actions,
    saved_views,
    schedule_actions,
    schedule_history,
    schedule_restore,
    schedule_slots,
    schedule_version_actions,
    schedules,
    scheduling_actions,
    streams,
    stream_actions,
    stuck_run,
    stuck_run_actions,
    system,
    system_actions,
    team,
    team_actions,
    time_zones,
    token_actions,
    tokens,
    ways_back,
    whereabouts,
)

__all__ = ["MODULES", "web"]
