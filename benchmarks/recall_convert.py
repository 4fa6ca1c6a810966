"""`python -m benchmarks.recall_convert FILE... --to FOLDER`: public recall sets in the form that `--data` reads.

Known are LoCoMo's `locomo10.json` (a list of samples with `conversation`, `qa` and their `evidence`) and PrefEval's
`benchmark_dataset/{explicit_preference,…}/*.json` (lists of `preference`, `question` pairs, one user of each file and
twenty pairs; its other conversations are given with `--filler`, one JSON list of user messages). Both are
CC-BY-NC-4.0: for evaluation only.
"""

import argparse
import json
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

_CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
_SESSION = re.compile(r"session_(\d+)")
_TURN = re.compile(r"D\d+:\d+")
_STAMP = "%I:%M %p on %d %B, %Y"
_PAIRS, _FILLER_EACH = 20, 30


def main() -> int:
    """Converts every file that is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recall_convert", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--to", type=Path, required=True, help="the folder for --data")
    parser.add_argument("--filler", type=Path, help="a JSON list of other messages, to hide preferences among")
    asked = parser.parse_args()
    filler = json.loads(asked.filler.read_text(encoding="utf-8")) if asked.filler else []
    sets: dict[str, list[dict[str, Any]]] = {}
    for path in asked.files:
        raw = json.loads(path.read_text(encoding="utf-8"))
        name = "locomo" if "conversation" in raw[0] else "prefeval"
        made = [locomo(one) for one in raw] if name == "locomo" else prefeval(path.stem, raw, filler)
        sets.setdefault(name, []).extend(made)
    for name, people in sets.items():
        target = asked.to / f"{name}.json"
        target.write_text(json.dumps({"name": name, "convs": people}, ensure_ascii=False), encoding="utf-8")
        print(f"{target}: {len(people)} users")
    return 0


def locomo(sample: dict[str, Any]) -> dict[str, Any]:
    """One conversation of LoCoMo, its pictures as their captions."""
    talk, turns = sample["conversation"], []
    names = sorted((one for one in talk if _SESSION.fullmatch(one)), key=lambda one: int(one.split("_")[1]))
    for number, name in enumerate(names, start=1):
        stamp = datetime.strptime(talk[f"{name}_date_time"].replace("am", "AM").replace("pm", "PM"), _STAMP)
        for turn in talk[name]:
            text = " ".join(filter(None, (turn["text"], turn.get("blip_caption", ""))))
            where = {"id": turn["dia_id"], "session": number, "ts": stamp.isoformat()}
            turns.append({**where, "speaker": turn["speaker"], "text": text})
    known = {turn["id"] for turn in turns}
    asked = []
    for at, one in enumerate(sample["qa"]):
        gold = [turn for named in one.get("evidence", ()) for turn in _TURN.findall(named) if turn in known]
        asked.append(
            {"id": f"q{at}", "q": one["question"], "ts": "", "cat": _CATEGORIES[one["category"]], "gold": gold}
        )
    return {"user": sample["sample_id"], "turns": turns, "queries": asked}


def prefeval(topic: str, pairs: list[dict[str, Any]], filler: list[str]) -> list[dict[str, Any]]:
    """Users with twenty preferences each, other messages between them."""
    people = []
    for start in range(0, len(pairs), _PAIRS):
        turns, asked = [], []
        for at, pair in enumerate(pairs[start : start + _PAIRS]):
            turns.append(_said(f"p{at}", 2 * at, pair["preference"]))
            other = filler[(start + at) * _FILLER_EACH : (start + at + 1) * _FILLER_EACH]
            turns += [_said(f"f{at}-{number}", 2 * at + 1, text) for number, text in enumerate(other)]
            asked.append({"id": f"q{at}", "q": pair["question"], "ts": None, "cat": topic, "gold": [f"p{at}"]})
        people.append({"user": f"{topic}-{start // _PAIRS}", "turns": turns, "queries": asked})
    return people


def _said(id: str, session: int, text: str) -> dict[str, Any]:
    return {"id": id, "session": session, "ts": None, "speaker": "user", "text": text}


if __name__ == "__main__":
    sys.exit(main())
