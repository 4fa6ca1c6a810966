"""`python -m benchmarks [--only NAME] [--quick] [--json]`: prints every figure, and always exits with 0."""

import argparse
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.figures import Table, show, to_json
from benchmarks.load_options import add_arguments, options_of
from benchmarks.peers import ROOT

NAMES = ("window", "persist", "turn", "throughput", "adapters", "imports", "prefix", "similar", "harvest_personal")
HARVEST = "harvest"  # takes three minutes
RECALL = "recall"  # of the sets in benchmarks/data, and of those in --data
ESTIMATOR = "estimator"  # its own table, in its own process
LOAD = "load"  # takes a minute or more, and only runs when it is asked for


def main() -> int:
    """Runs the benchmarks that were asked for, each in turn."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="the figures, beside limits and peers")
    parser.add_argument(
        "--only",
        action="append",
        choices=[*NAMES, HARVEST, RECALL, ESTIMATOR, LOAD],
        help="one benchmark; may be repeated",
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds, users and turns")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--data", type=Path, help="recall: a folder with further sets, see benchmarks/recall_sets.py")
    add_arguments(parser)
    asked = parser.parse_args()
    found: dict[str, list[Table]] = {}
    names = asked.only or [*NAMES, HARVEST, RECALL, ESTIMATOR]
    for name in names:
        if name == ESTIMATOR:
            continue
        options: object = asked.quick
        if name == LOAD:
            options = options_of(asked)
        elif name == HARVEST:
            options = asked.quick, asked.conversations
        elif name == RECALL:
            options = asked.quick, asked.data
        found[name] = import_module(f"benchmarks.{name}").run(options)
        if not asked.json:
            print("\n\n".join(map(show, found[name])), end="\n\n", flush=True)
    estimated = _estimator(asked.json) if ESTIMATOR in names else ""
    print(to_json(found, json.loads(estimated or "[]")) if asked.json else estimated)
    return 0


def _estimator(as_json: bool) -> str:
    """What the estimator's own benchmark prints; it says on stderr when the vocabulary to compare with is not here."""
    command = [sys.executable, "-m", f"benchmarks.{ESTIMATOR}", *(["--json"] if as_json else [])]
    return subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
