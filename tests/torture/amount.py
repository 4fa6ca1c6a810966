"""How much torture: a little in every test run, all of it in `make torture`."""

import os

KILLS = int(os.environ.get("TORTURE_KILLS", "30"))
"""About how often a process is killed, between two statements or at random."""

ALL = 900
"""With so many, a kill falls between every two statements, on each database, from tasks and from threads."""

OPERATIONS = int(os.environ.get("TORTURE_OPERATIONS", "3000"))
"""How many random operations the search for foreign marks makes."""
