"""Where the pages are served and by how many processes, as JSON on the standard output, for whoever serves them.

`python -m app.core.serving` makes the keys too, if there are none. What is refused is one sentence and exit status 1.
"""

import json
import sys

from app.core.config import read_settings
from app.core.errors import AppError
from app.core.keys import with_keys


def main() -> None:
    """Print `host`, `port` and `processes`."""
    try:
        settings = with_keys(read_settings())
    except AppError as error:
        sys.exit(error.message)
    where = {"host": settings.listen_host, "port": settings.listen_port, "processes": settings.web_processes}
    print(json.dumps(where))


if __name__ == "__main__":
    main()
