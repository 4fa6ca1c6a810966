"""Duplicates, contradictions and caps, on planted chats and by hand."""

import os
import pickle
import random
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harvest.planted_pairs import CITIES, MUST_GO, SCENES, Planted, Said
from hypothesis import example, given
from hypothesis import strategies as st

from persona.harvest.similar import signature
from persona.harvest.similar.boundary import AUDITED, crossing
from persona.harvest.similar.columns import Columns, Gathered, Row, columns_of, names_of
from persona.harvest.similar.context import context
from persona.harvest.similar.decide import CHECKS, Decisions, Rules, decide
from persona.harvest.similar.lexicon import Lexicon
from persona.harvest.similar.readings import capitals
from persona.harvest.similar.text import BORDER, carries, digest, grams, tokens
from persona.harvest.similar.topics import name_of, term_hash, terms
from persona.values.words import fold

EACH = 120
ALIKE = {"duplicate", "near_duplicate", "crosses_sides"}
TRAIN, TEST = 0, 2


class Chunks:
    """Rows whose columns lie in chunks of a folder; counts the texts that are asked for."""

    def __init__(self, folder: Path, rows: Sequence[Row], size: int = 500) -> None:
        self.rows, self.read, folders = rows, 0, []
        for first in range(0, len(rows), size):
            folders.append(folder / f"{size}-{first}")
            folders[-1].mkdir()
            columns_of(rows[first : first + size]).write(folders[-1])
        self.gathered = Gathered(folders)

    def texts(self, wanted: Sequence[int]) -> list[tuple[str, str]]:
        assert list(wanted) == sorted(set(wanted))
        self.read += len(wanted)
        return [(self.rows[row].question, self.rows[row].reply) for row in wanted]

    def decide(self, rules: Rules | None = None) -> Decisions:
        return decide(self.gathered, self.texts, rules or Rules())


def checks(folder: Path, *rows: Row, rules: Rules | None = None) -> list[str]:
    """The name of the check that dropped each row, "" for those that are kept."""
    return [CHECKS[check] for check in Chunks(folder, rows).decide(rules).check.tolist()]


def planted() -> list[Said]:
    maker = Planted(11)
    said = [row for kind in SCENES for row in maker.scenes(kind, EACH * 4 if kind == "plain" else EACH)]
    random.Random(5).shuffle(said)
    return said


def rows_of(said: Sequence[Said]) -> list[Row]:
    return [Row(f"u{one.scene}", one.question, one.reply, rating=int(one.role == "base")) for one in said]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Counter[tuple[str, str]]:
    said = planted()
    decisions = Chunks(tmp_path_factory.mktemp("planted"), rows_of(said)).decide(Rules(slots={"city": CITIES}))
    return Counter((one.role, CHECKS[check]) for one, check in zip(said, decisions.check.tolist(), strict=True))


def share(outcome: Counter[tuple[str, str]], roles: set[str], found: set[str]) -> float:
    all_of_them = sum(count for (role, _), count in outcome.items() if role in roles)
    return sum(count for (role, check), count in outcome.items() if role in roles and check in found) / all_of_them


def test_planted_duplicates_are_found(outcome: Counter[tuple[str, str]]) -> None:
    assert share(outcome, {"exact", "near"}, ALIKE) >= 0.985  # .995 of 10,000


def test_rows_that_say_something_else_are_kept(outcome: Counter[tuple[str, str]]) -> None:
    others = {role for role, _ in outcome} - MUST_GO.keys()
    assert share(outcome, others - {"paraphrase"}, ALIKE | {"contradiction"}) <= 0.005
    assert share(outcome, {"paraphrase"}, ALIKE | {"contradiction"}) <= 0.02


def test_planted_contradictions_are_found(outcome: Counter[tuple[str, str]]) -> None:
    assert share(outcome, {"contradiction"}, {"contradiction"}) >= 0.95


def test_the_chunks_decide_nothing(tmp_path: Path) -> None:
    rows = rows_of(planted())[:700]
    one, other = (Chunks(tmp_path, rows, size).decide() for size in (37, 700))
    assert np.array_equal(one.check, other.check)
    assert np.array_equal(one.lost_to, other.lost_to)
    assert np.array_equal(one.topic, other.topic)
    assert one.contradictions == other.contradictions


def test_what_is_asked_of_texts_may_be_answered_anywhere(tmp_path: Path) -> None:
    """In several parts, which travel to another process and back."""
    maker, numbers = Planted(11), []
    chunks = Chunks(tmp_path, rows_of([row for kind in ("near", "contradiction") for row in maker.scenes(kind, 100)]))

    def elsewhere(do: Callable[[Any], Any], parts: Sequence[Any]) -> list[Any]:
        numbers.append(len(parts))
        return [_travelled(do)(_travelled(one)) for one in parts]

    one, other = chunks.decide(), decide(chunks.gathered, chunks.texts, Rules(), elsewhere)
    assert max(numbers) > 1 < numbers[-1]  # the first are of rows that may be alike, the last of replies
    assert np.array_equal(one.check, other.check)
    assert np.array_equal(one.lost_to, other.lost_to)
    assert one.contradictions == other.contradictions


def _travelled(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))  # noqa: S301 - written in this line


def test_the_hash_seed_of_the_interpreter_decides_nothing() -> None:
    script = (
        "import hashlib; from dataclasses import fields; from persona.harvest.similar.columns import Row, columns_of;"
        "said = columns_of([Row('u', f'Where is Ada {n}?', f'In Lyon at {n} pm, Bob says.') for n in range(20)]);"
        "print(hashlib.sha256(b''.join(getattr(said, f.name).tobytes() for f in fields(said))).hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_a_template_that_all_rows_share_costs_no_square(tmp_path: Path) -> None:
    def reads(count: int) -> int:
        folder = tmp_path / str(count)
        folder.mkdir()
        words = [f"{a}{b}{c}" for a in "bdfgklmnp" for b in ("ani", "ero", "usti", "olba") for c in "rstvxzbdfgklm"]
        rows = [
            Row(
                "u", f"how do i clean a {words[n % 468]} {words[n * 7 % 467]}", f"rinse the {words[n % 468]} and dry it"
            )
            for n in range(count)
        ]
        chunks = Chunks(folder, rows)
        chunks.decide()
        return chunks.read

    assert reads(2000) <= 2.6 * reads(1000)


def test_a_row_of_the_training_side_goes_when_another_side_has_its_like(tmp_path: Path) -> None:
    reply = "The museum is open all week, and the ticket office on its left sells passes for the whole family."
    rows = (
        Row("ada", "When is the museum open?", reply, rating=1, side=TRAIN),
        Row("bob", "hello, when is the museum open ?", reply.replace("sells", "offers"), side=TEST),
    )
    chunks = Chunks(tmp_path, rows)
    decisions = chunks.decide()
    assert [CHECKS[check] for check in decisions.check] == ["crosses_sides", ""]
    assert decisions.clusters() == [[1, 0]]
    assert not len(crossing(chunks.gathered, chunks.texts, decisions.kept)[0])


def test_between_sides_nothing_is_exchanged_but_a_number(tmp_path: Path) -> None:
    question = "Is reading room {1} on the top floor of the library open on {0}s, and may I bring a bottle of water?"
    reply = "Yes, room {} is; bottles of water are fine as long as they close, other drinks stay in the lockers."
    told = (("Monday", 3, TRAIN), ("Sunday", 3, TRAIN), ("Friday", 3, TEST), ("Friday", 4, TRAIN))
    rows = [
        Row(f"u{n}", question.format(day, room), reply.format(room), side=side)
        for n, (day, room, side) in enumerate(told)
    ]
    chunks = Chunks(tmp_path, rows)
    decisions = chunks.decide()
    assert [CHECKS[check] for check in decisions.check] == ["crosses_sides", "crosses_sides", "", ""]
    assert decisions.lost_to.tolist()[:2] == [2, 2]
    assert not len(crossing(chunks.gathered, chunks.texts, decisions.kept)[0])
    assert crossing(chunks.gathered, chunks.texts, np.ones(4, np.bool_), AUDITED)[0].tolist() == [0, 1]


def test_of_copies_the_best_rated_then_the_newest_then_the_first_is_kept(tmp_path: Path) -> None:
    def kept(*rows: tuple[int, int]) -> int:
        folder = tmp_path / repr(rows)
        folder.mkdir()
        copies = [Row("u", "same?", "same.", rating=rating, at_us=at_us) for rating, at_us in rows]
        return checks(folder, *copies).index("")

    assert kept((0, 9), (1, 1), (-1, 10)) == 1
    assert kept((1, 5), (1, 7), (1, 6)) == 1
    assert kept((1, 5), (1, 5)) == 0


NINE = Row("ada", "When does the post office open?", "It opens at 9 am.", rating=1, at_us=1)
TEN = Row("bob", "when does the post office open", "It opens at 10:00.", rating=0, at_us=2)
ALSO_NINE = Row("eve", "Hello, when does the post office open?", "From 9:00 to 17:00.", rating=0, at_us=3)


def test_of_contradicting_replies_one_stays_or_none_and_all_are_listed(tmp_path: Path) -> None:
    for policy, expected in (
        ("best", ["", "contradiction", ""]),
        ("newest", ["", "contradiction", ""]),
        ("none", ["contradiction", "contradiction", ""]),
    ):
        folder = tmp_path / policy
        folder.mkdir()
        decisions = Chunks(folder, [NINE, TEN, ALSO_NINE]).decide(Rules(contradictions=policy))  # type: ignore[arg-type]
        assert [CHECKS[check] for check in decisions.check] == expected, policy
        assert {one.differences for one in decisions.contradictions} <= {
            ("time: 09:00 / 10:00",), ("time: 09:00, 17:00 / 10:00",)
        }  # fmt: skip


def test_replies_that_rest_on_what_each_user_is_do_not_contradict(tmp_path: Path) -> None:
    question, yes, no = "Can I eat the quiche?", "Yes, you can eat it.", "No, you cannot eat it, it holds bacon."
    rows = [
        Row("ada", question, yes, context=context(question, yes, ["likes meat"])),
        Row("bob", question, no, context=context(question, no, ["vegetarian"])),
    ]
    assert checks(tmp_path, *rows) == ["", ""]


def test_a_fact_that_the_reply_does_not_use_excuses_no_contradiction() -> None:
    asked, told = "When does the post office open?", "At 9 am."
    assert context(asked, told, ["vegetarian", "lives in Nantes"]) == 0
    assert context(asked, "The one in Nantes at 9 am.", ["vegetarian", "lives in Nantes"]) != 0
    assert context("When does my parcel come?", told, ["parcel 12 comes on Monday"]) != 0


@pytest.mark.parametrize("question", ["And how much is it?", "Ça prend combien de temps ?", "Is it open on Saturdays?"])
def test_a_question_that_goes_on_rests_on_what_was_said_before(question: str) -> None:
    lamp, sofa, neither = columns_of(
        [Row("u", question, "3 days", before=before) for before in (("The lamp is here.",), ("The sofa is here.",), ())]
    ).context.tolist()
    assert 0 != lamp != sofa != 0
    assert neither == 0


@pytest.mark.parametrize(
    "question", ["What are your opening hours?", "Est-ce que la gourde Lojuve fonctionne sans connexion internet ?"]
)
def test_a_question_that_stands_alone_is_the_same_after_anything(question: str) -> None:
    assert columns_of([Row("u", question, "9 to 5", before=("The lamp is here.",))]).context.tolist() == [0]


def test_values_of_slots_contradict_only_where_they_are_known(tmp_path: Path) -> None:
    rows = [Row("a", "Where is the repair shop?", "It is in Lyon."), Row("b", "Where is the repair shop?", "In Lille.")]
    (tmp_path / "known").mkdir()
    assert checks(tmp_path, *rows) == ["", ""]
    known = Rules(slots={"city": frozenset({"Lyon", "Lille"})})
    assert checks(tmp_path / "known", *rows, rules=known) == ["", "contradiction"]


def test_caps_keep_the_best_of_each_user_topic_and_template(tmp_path: Path) -> None:
    rows = [
        Row("ada" if n < 6 else f"u{n}", f"Where is invoice {n} of March?", f"It is in folder {n}.", rating=n)
        for n in range(10)
    ]
    for name, rules, kept in (
        ("user", Rules(per_user=2), [4, 5, 6, 7, 8, 9]),
        ("template", Rules(per_template=3), [7, 8, 9]),
        ("topic", Rules(per_topic=1), [9]),
    ):
        folder = tmp_path / name
        folder.mkdir()
        found = checks(folder, *rows, rules=rules)
        assert [row for row, check in enumerate(found) if not check] == kept
        assert {check for check in found if check} == {f"{name}_cap"}


def test_the_topic_is_the_rarest_term_that_enough_questions_share(tmp_path: Path) -> None:
    about = ["refund", "refund", "refund", *["warranty"] * 5]
    rows = [Row("u", f"How does the {word} of item{n} work?", f"Number {n}.") for n, word in enumerate(about)]
    topics = Chunks(tmp_path, rows).decide().topic
    assert [name_of(int(topic), row.question) for topic, row in zip(topics, rows, strict=True)][:1] == ["refund"]
    assert len(set(topics[:3].tolist())) == 1


def test_a_topic_is_named_by_a_word_as_it_is_said() -> None:
    assert name_of(term_hash("factur"), "Comment télécharger mes factures ?") == "factures"
    assert name_of(term_hash("refund"), "Comment télécharger mes factures ?") == ""


def test_an_empty_log_has_no_decisions() -> None:
    assert not len(decide(Gathered([]), lambda rows: [], Rules()).check)


def test_the_s_curve_is_the_published_one() -> None:
    dice = np.random.default_rng(3)
    pairs, size = 400, 60
    for similarity in (0.5, 0.65, 0.8):
        shared = round(2 * size * similarity / (1 + similarity))
        members = dice.integers(0, 1 << 32, (pairs, 2, size), dtype=np.uint32)
        members[:, 1, :shared] = members[:, 0, :shared]
        starts = np.arange(0, members.size, size)
        keys = signature.bands(
            signature.minima(members.ravel(), starts, signature.PAIRS), np.zeros(2 * pairs, np.uint64), signature.PAIRS
        )
        met = (keys[:, ::2] == keys[:, 1::2]).any(axis=0).mean()
        exact = shared / (2 * size - shared)
        assert met == pytest.approx(signature.PAIRS.chance(exact), abs=0.05)


def test_memory_stays_below_sixty_bytes_a_row(tmp_path: Path) -> None:
    count, chunk = 100_000, 5_000
    folders = []
    for first in range(0, count, chunk):
        folders.append(tmp_path / str(first))
        folders[-1].mkdir()
        _noise(first, chunk).write(folders[-1])
    gathered = Gathered(folders)
    tracemalloc.start()
    decide(gathered, lambda rows: [("", "")] * len(rows), Rules(per_user=5, per_topic=5, per_template=5))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (peak - 4_000_000) / count <= 50  # beside the table of document frequencies


def _noise(seed: int, rows: int) -> Columns:
    """Columns of rows that share nothing."""
    dice = np.random.default_rng(seed)

    def wide(*shape: int) -> np.ndarray:
        return dice.integers(1, 1 << 63, shape, dtype=np.uint64)

    def narrow(*shape: int) -> np.ndarray:
        return dice.integers(1, 1 << 32, shape, dtype=np.uint32)

    zeros = np.zeros(rows, np.int64)
    return Columns(
        user=wide(rows), rating=zeros.astype(np.int16), at_us=zeros, side=zeros.astype(np.int8), context=wide(rows),
        exact=wide(rows), question=wide(rows), template=wide(rows), terms=narrow(rows, 8), pair_look=wide(rows, 6),
        pairs=narrow(signature.PAIRS.bands, rows), asked_look=wide(rows, 5),
        asked=narrow(signature.QUESTIONS.bands, rows),
    )  # fmt: skip


# signs that are read in different ways, beside any others
SIGNS = st.text(
    st.one_of(
        st.sampled_from(
            "ABÉéabn '’.,…_\n\t\u00a0\u202f1234567\"«»-(!%€İßŸΩЖfiﬁ²½٣今‑™：，\u2009´\u0301\ufe0f❤\U0001f1eb"
        ),
        st.characters(),
    )
)
ODD = [
    ("Il est 9 h, à l'Île", "1 200 €: d'Artagnan paie. Non?"), ("1.200.000", "x1  200 y 2\u00a0300,45 6,700 8 9001"),
    ("", "今日は Ada"), ("e\u0301té  ÉTÉ", "a\x00b A\x00B"), ("dear Ada, Bob_Two", "…Œuvre_1 200 Bob. «Eve» said. A4"),
    ("1，200 1：200 1‑200 1\u2009200 1´200 l´eau ½", "x² n°4 Ada™ 1…200 Bob‑Eve (Ⅳ)"),
    ("İstanbul ﬁn", "Straße STRASSE m² Ⅳ"), ("Hello Ada ", " Ada"), ("Bonjour Léa, Ada", "\ud800 Léa"),
]  # fmt: skip


@given(st.lists(st.tuples(SIGNS, SIGNS), max_size=4))
@example(ODD)
def test_texts_that_are_read_together_have_the_words_that_each_has_alone(rows: list[tuple[str, str]]) -> None:
    lexicon = Lexicon()
    for read in (lexicon.read(rows), lexicon.read(rows)):
        alone = [[*tokens(text.replace(BORDER, " ")), BORDER] for row in rows for text in row]
        assert lexicon.digest[read.words].tolist() == [digest(word) for some in alone for word in some]
        lengths = [[len(alone[at]), len(alone[at + 1])] for at in range(0, len(alone), 2)]
        assert read.row.tolist() == [row for row, both in enumerate(lengths) for _ in range(sum(both))]
        assert len(read.asked) == sum(asked - 1 for asked, _ in lengths)
        assert (read.ends + 1).tolist() == np.cumsum([sum(both) for both in lengths]).tolist()


@given(st.lists(st.tuples(SIGNS, SIGNS), max_size=4))
@example(ODD)
def test_rows_that_are_read_together_have_the_names_that_each_has_alone(rows: list[tuple[str, str]]) -> None:
    lexicon = Lexicon()
    read = lexicon.read(rows)
    names = names_of(read, lexicon)
    found = set(zip(names.row.tolist(), names.word.tolist(), names.held.tolist(), names.asked.tolist(), strict=True))
    assert len(found) == len(names.row)
    alone = set()
    for row, (question, reply) in enumerate(rows):
        asked = {fold(word) for word in tokens(question.replace(BORDER, " "))}
        both = capitals(question.replace(BORDER, " "), reply.replace(BORDER, " "))
        for word in both.names | both.opening:
            alone.add((row, digest(word), word in both.names, word in asked))
    assert found == alone


@given(
    st.lists(st.text(st.one_of(st.sampled_from("aéZ1œ今\U0001f1eb\ud800"), st.characters()), min_size=1), max_size=9)
)
@example(["l", "été", "the", "42023305", "merci", "x", "42023305", "straße"])
def test_the_grams_of_words_are_the_runs_of_four_letters_of_each(said: list[str]) -> None:
    edged = [f"^{fold(word)}$" if carries(word) else "" for word in said]
    runs = [[one[at : at + 4] for at in range(max(1, len(one) - 3))] if one else [] for one in edged]
    hashes, counts = grams(fold(word) if carries(word) else "" for word in said)
    assert counts.tolist() == list(map(len, runs))
    told = list(zip(hashes.tolist(), chain.from_iterable(runs), strict=True))
    assert len(set(told)) == len({number for number, _ in told}) == len({run for _, run in told})


def test_a_text_longer_than_what_is_read_at_once_is_read_whole() -> None:
    rows = [("Ada and Bob 1 200 " * 9000, "In Lyon."), ("And Eve?", "x " * 70_000)]
    lexicon = Lexicon()
    read = lexicon.read(rows)
    assert np.bincount(read.row).tolist() == [4 * 9000 + 4, 2 + 70_000 + 2]
    assert lexicon.digest[read.words[:4]].tolist() == list(map(digest, ("ada", "and", "bob", "1200")))


def test_words_whose_slot_another_word_has_stay_apart() -> None:
    said = [f"w{number}" for number in range(20_000)]  # of so many, hundreds
    lexicon = Lexicon()
    for some in (said[:9_000], said, said[::-1]):
        read = lexicon.read([(" ".join(some), "")])
        assert lexicon.digest[read.words[:-2]].tolist() == list(map(digest, some))


def test_what_was_read_before_changes_no_column() -> None:
    rows = [
        *(Row("u", one.question, one.reply, language=("fr", None)[at % 2]) for at, one in enumerate(planted()[:300])),
        Row("u", "?", "…"), Row("u", "Où ?", "1 200 €"), Row("u", "", "Ja."),
    ]  # fmt: skip
    lexicon = Lexicon()
    columns_of(rows[::-1], lexicon)
    for name in (field.name for field in fields(Columns)):
        one, other = getattr(columns_of(rows, lexicon), name), getattr(columns_of(rows), name)
        assert np.array_equal(one, other), name
    assert columns_of(rows).terms.tolist() == [terms(row.question, row.language) for row in rows]


def test_rows_of_the_same_words_have_the_same_digests_and_others_have_others() -> None:
    said = [
        ("Where is it?", "In Lyon."), ("where is it", "in lyon!"), ("Where is it in?", "Lyon."),
        ("Where is it?", "In Lyon, at 9."), ("It is where?", "In Lyon."),
    ]  # fmt: skip
    exact = columns_of([Row("u", *one) for one in said]).exact.tolist()
    assert exact[0] == exact[1]
    assert len(set(exact)) == 4
    asked = columns_of([Row("u", one, "Yes.") for one in ("Open Lyon shop?", "shop, Lyon: open?", "Lyon?")]).question
    assert asked[0] == asked[1] != 0
    assert asked[2] == 0, "one word with content is too little to compare by"
