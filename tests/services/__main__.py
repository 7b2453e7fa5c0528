"""`python -m tests.services` says which server the tests lack, if any."""

import sys

from tests.services.missing import ServiceMissing
from tests.services.postgres import find_programs
from tests.services.redis import find_program

if __name__ == "__main__":
    try:
        find_programs()
        find_program()
    except ServiceMissing as missing:
        sys.exit(str(missing))
