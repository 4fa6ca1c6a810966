"""Personal data: how much of what was planted is found, how often a clean message is touched, and what it costs."""

import random
from collections import Counter
from functools import partial

from benchmarks import harvest_apart
from benchmarks.figures import Row, Table, cpu_us, row
from benchmarks.personal_texts import CLEAN, KINDS, Planted, plant
from persona.harvest.personal.mend import Mender
from persona.harvest.personal.values import Known
from persona.harvest.personal.words import words
from persona.values.message import Message, say

_WORDS = words("""
    the order that we sent last week has arrived but one of two boxes was open and I would like to know how you
    handle this because my husband thinks it should be replaced before Friday la commande que nous avons reçue
    était incomplète et je voudrais savoir comment procéder pour être remboursée car cela devrait être échangé
    avant vendredi""")
_NAMES = words(
    """
    Rose Martin; Will Baker; May Young; Mark Bill; Claire Petit; Camille Durand; Olivier Blanc""",
    ";",
)
_KNOWN = (Known("name", "Camille Durand"), Known("place", "Lyon"), Known("organisation", "Acme SA"))


def run(quick: bool) -> list[Table]:
    """Recall by kind, false alarms by kind, CPU per conversation."""
    draw, mender = random.Random(20_260), Mender()
    return [
        _recall(draw, mender, 200 if quick else 2000),
        _alarms(draw, mender, 10 if quick else 100),
        _apart(draw, mender, 10 if quick else 100),
        _speed(draw, mender),
    ]


def _recall(draw: random.Random, mender: Mender, count: int) -> Table:
    rows = []
    for kind in KINDS:
        found = sum(_is_gone(mender, plant(draw, kind)) for _ in range(count))
        rows.append(Row(f"{kind}: found of {count:,} planted", 100 * found / count, reach=99.0, at_least=True))
    return Table("Personal data found", "%", tuple(rows))


def _is_gone(mender: Mender, one: Planted) -> bool:
    known = (Known("name", one.name),) if one.name else ()
    text = mender.mend([say("user", one.text)], [False], known, (one.region,), 1, "c").messages[0].text
    whole = one.secret.split("\n")[1 if one.kind == "pem" else 0]
    digits = "".join(filter(str.isdigit, whole))
    rest = one.kind.startswith("phone") and digits[-6:] in "".join(filter(str.isdigit, text))
    return whole not in text and not rest


def _alarms(draw: random.Random, mender: Mender, rounds: int) -> Table:
    counts: Counter[str] = Counter()
    messages = 0
    for make in (make for _ in range(rounds) for make in CLEAN):
        messages += 1
        known, region = (Known("name", draw.choice(_NAMES)),), draw.choice(("FR", "US", "GB", "DE"))
        found = mender.mend([say("user", make(draw))], [False], known, (region,), 1, "c").counts
        counts.update(found.keys())
        counts["any kind"] += bool(found)
    kinds = [kind for kind in counts if kind != "any kind"]
    rows = [Row("any kind", 1000 * counts["any kind"] / messages, reach=2.0)]
    rows += [Row(kind, 1000 * counts[kind] / messages) for kind in kinds]
    return Table(f"False alarms in {messages:,} clean messages that look as if", "per 1,000 messages", tuple(rows))


def _apart(draw: random.Random, mender: Mender, rounds: int) -> Table:
    """The sentences that were written apart from the patterns; what is clean among them looks as personal as it can."""
    found: dict[str, list[bool]] = {}
    touched = []
    for _ in range(rounds):
        for one in harvest_apart.planted(draw):
            text = mender.mend([say("user", one.text)], [False], (), (one.region,), 1, "c").messages[0].text
            found.setdefault(one.kind, []).extend(not _is_left(secret, text) for secret in one.secrets)
        for clean in harvest_apart.clean(draw):
            region = draw.choice(("FR", "US", "GB", "DE"))
            touched.append(bool(mender.mend([say("user", clean)], [False], (), (region,), 1, "c").counts))
    rows = [
        Row(f"{kind}: found of {len(every):,}", 100 * sum(every) / len(every), reach=99.0, at_least=True)
        for kind, every in found.items()
    ]
    rows.append(Row(f"clean, of {len(touched):,} that look personal, touched", 100 * sum(touched) / len(touched)))
    return Table("Personal data in sentences that nobody has tuned on", "%", tuple(rows))


def _is_left(secret: str, text: str) -> bool:
    digits = "".join(filter(str.isdigit, secret))
    return secret in text or (len(digits) > 5 and digits[-6:] in "".join(filter(str.isdigit, text)))


def _speed(draw: random.Random, mender: Mender) -> Table:
    clean = [_conversation(draw) for _ in range(300)]
    found = [_planted(draw, one) for one in clean]
    rows = [
        row(what, cpu_us(partial(_all, mender, conversations), 9), reach=reach, per=300.0)
        for what, conversations, reach in (
            ("6 messages of 40 words, nothing personal", clean, 120.0),
            ("the same with 4 findings", found, 400.0),
        )
    ]
    return Table("CPU per conversation", "µs", tuple(rows))


def _all(mender: Mender, conversations: list[list[Message]]) -> None:
    for number, one in enumerate(conversations):
        mender.mend(one, [False, True] * 3, _KNOWN, ("FR",), 1, str(number))


def _conversation(draw: random.Random) -> list[Message]:
    words = [[*draw.choices(_WORDS, k=38), str(draw.randint(1, 30)), f"{draw.randint(10, 99)}.50"] for _ in range(6)]
    return [say("user" if at % 2 == 0 else "assistant", " ".join(one)) for at, one in enumerate(words)]


def _planted(draw: random.Random, conversation: list[Message]) -> list[Message]:
    made = list(conversation)
    for at in (0, 2, 4):
        one = plant(draw, draw.choice(("email", "phone FR", "phone US", "iban", "card")))
        made[at] = say("user", f"{made[at].text[:200]} {one.text}")
    made[1] = say("assistant", f"Merci Camille, {made[1].text}")
    return made
