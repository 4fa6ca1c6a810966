"""One harvest in a process of its own: `python -m benchmarks.harvest_run STORE OUT PROCESSES raw|rendered`.

Prints `begun` once it is ready, and at the end, as JSON, what the harvest took of this process and of those it started.
"""

import json
import resource
import sys
import time
from pathlib import Path

from benchmarks.harvest_store import settings_on
from persona.assistant.harvesting import Wish, harvest

FORMAT = "trl"


def main(store: str, out: str, processes: str, form: str) -> None:
    """Harvests, and tells seconds of CPU and of the clock, and the largest resident memory of a process in MB."""
    settings = settings_on(Path(store), int(processes))
    print("begun", flush=True)
    start, cpu = time.perf_counter(), _cpu_s()
    outcome = harvest(settings, Wish(formats=(FORMAT,), out=Path(out), raw=form == "raw"))
    told = {
        "cpu_s": _cpu_s() - cpu,
        "wall_s": time.perf_counter() - start,
        "own_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "others_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        "path": outcome.path,
        "kept": outcome.funnel.kept,
    }
    print(json.dumps(told), flush=True)


def _cpu_s() -> float:
    """Of this process and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main(*sys.argv[1:])
