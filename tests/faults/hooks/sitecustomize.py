"""Found by Python in processes that fault tests start with this folder on PYTHONPATH.

FAULT_LIE=0.05     this share of statements and commits is executed, and then reported as failed
FAULT_DIE_AT=7     the process kills itself at the seventh request to database or broker of its first tick
FAULT_CLOCK=path   the database's clock is ahead by the seconds in that file, or behind
"""

import importlib
import os

if {"FAULT_LIE", "FAULT_DIE_AT", "FAULT_CLOCK"} & os.environ.keys():
    importlib.import_module("misbehaviour")
