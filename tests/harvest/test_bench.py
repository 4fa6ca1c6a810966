"""The benchmark of harvest judges what it planted: so few chats that it takes a moment."""

from pathlib import Path

import pytest

from benchmarks.harvest import quality
from benchmarks.harvest_chats import Chats, Plant
from benchmarks.harvest_judge import Judged, judge, left
from benchmarks.harvest_run import FORMAT
from benchmarks.harvest_store import fill, settings_on
from persona.assistant.harvesting import Wish, harvest

CHATS = 300


@pytest.fixture(scope="module")
def chats() -> Chats:
    return Chats(CHATS)


@pytest.fixture(scope="module")
def judged(chats: Chats, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """A small log, harvested and held against the truth."""
    folder = tmp_path_factory.mktemp("bench")
    store = folder / "chats.db"
    fill(store, chats)
    outcome = harvest(settings_on(store), Wish(formats=(FORMAT,), out=folder / "out", raw=True))
    return judge(chats, Path(outcome.path))


def test_a_chat_is_the_same_every_time(chats: Chats) -> None:
    assert chats.chat(7) == Chats(CHATS).chat(7) != chats.chat(8)


def test_what_is_planted_is_mostly_found(judged: Judged) -> None:
    copies = judged.copies["exact"]
    assert copies.total > 10
    assert copies.found == 100
    assert judged.private["email"].good > 0
    assert judged.private["profile name"].found > 90
    assert judged.contradictions["number"].good > 0


def test_what_is_clean_mostly_stays(judged: Judged) -> None:
    assert judged.clean.total > 1_000
    assert judged.clean.lost < 1
    assert judged.kept["plain: duplicate"].lost < 1


def test_every_figure_has_something_to_judge(judged: Judged) -> None:
    for table in quality(judged):
        assert table.rows
        assert all(0 <= row.value <= 1_000 for row in table.rows)
    assert all(count.total for kind in (judged.copies, judged.kept, judged.private) for count in kind.values())


@pytest.mark.parametrize(
    ("kind", "said", "text"),
    [
        ("phone FR", "06 12 34 56 78", "it is 0612345678 now"),
        ("card", "4970 1012 3456 7890", "4970-1012-3456-7890"),
        ("IBAN", "FR76 3000 6000 0112 3456 7890 189", "fr7630006000011234567890189"),
        ("email", "Ann.Lee@web.org", "to ann.lee@web.org"),
        ("profile name", "Hélène LE GOFF", "dear Helene"),
        ("key", "ghp_abcdefghijklmnopqrstuvwxyz", "x ghp_abcdefghijklmnopqrstuvwxyz"),
    ],
)
def test_what_is_left_of_somebody_is_seen_in_other_writings(kind: str, said: str, text: str) -> None:
    assert left(Plant(kind, said), text)
    assert not left(Plant(kind, said), "dear Le Marie, 07 98 76 54 32 is all that I have on a.b@c.org")
