"""The web process's entry point: `gunicorn wsgi:app`."""

import gc
import os

from app.core.config import read_settings
from app.core.keys import with_keys
from app.core.log import set_up_logging
from app.core.process import keep_files_private, share_one_heap
from app.edge.runtime import EXTENSION
from app.factory import create_app
from app.ops.page_pulse import PagePulse

keep_files_private()
share_one_heap()
set_up_logging()
app = create_app(with_keys(read_settings()))
runtime = app.extensions[EXTENSION]
# The server loads this once and serves from processes that it forks.
os.register_at_fork(after_in_child=runtime.database.leave_to_parent)
runtime.schema.refuse_powerful_login()
# Each process reports from when its server says so, or else from its first request on: no thread outlives a fork.
pulse = PagePulse(runtime.database, runtime.clock, runtime.schema)
app.before_request(pulse.begin)
# What was loaded stays for good. Looked at by no collection, its memory goes on being shared after the fork.
gc.collect()
gc.freeze()
