"""The web process's entry point: `gunicorn wsgi:app`."""

from app.core.config import read_settings
from app.core.keys import with_secret_key
from app.core.log import set_up_logging
from app.core.process import keep_files_private
from app.factory import create_app

keep_files_private()
set_up_logging()
app = create_app(with_secret_key(read_settings()))
