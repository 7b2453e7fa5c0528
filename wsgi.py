"""The web process's entry point: `gunicorn wsgi:app`."""

from app.core.config import read_settings
from app.core.keys import with_keys
from app.core.log import set_up_logging
from app.core.process import keep_files_private
from app.edge.runtime import EXTENSION
from app.factory import create_app

keep_files_private()
set_up_logging()
app = create_app(with_keys(read_settings()))
app.extensions[EXTENSION].schema.refuse_powerful_login()
