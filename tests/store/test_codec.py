"""Parts, counts and plans come back from their columns as they went in."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stored import PLAN

from persona.store.codec import (
    decode_parts,
    decode_plan,
    decode_plans,
    decode_tokens,
    encode_parts,
    encode_plan,
    encode_tokens,
    names_nothing,
)
from persona.values.message import Image, Part, Text, ToolCall, ToolResult
from persona.values.plan import NO_PLAN, SECTIONS, Candidate, HistoryRange, Plan, SectionPlan

ANY = st.text(st.characters(codec="utf-8"))
LONE = st.text(st.characters(categories=["Cs", "L", "Zs", "Po"]))
COUNT = st.integers(0, 2**53)
PARTS = st.one_of(
    st.builds(Text, ANY),
    st.builds(ToolCall, ANY, ANY, ANY),
    st.builds(ToolResult, ANY, ANY, ANY, st.booleans(), COUNT),
    st.builds(Image, ANY, st.sampled_from(["auto", "low", "high"]), COUNT, COUNT),
)
SCORE = st.none() | st.floats(-100, 100).map(lambda score: round(score, 4))
CANDIDATES = st.builds(Candidate, ANY, COUNT, st.booleans(), ANY, SCORE, ANY)
SECTION = st.builds(
    SectionPlan, st.sampled_from(SECTIONS), COUNT, COUNT, st.lists(CANDIDATES, max_size=3).map(tuple), ANY
)
PLANS = st.builds(
    Plan,
    *(ANY, ANY, st.sampled_from(["exact", "calibrated", "estimate"]), COUNT, COUNT, COUNT, COUNT, COUNT),
    st.lists(SECTION, max_size=7).map(tuple),
    st.builds(HistoryRange, COUNT, COUNT, ANY, COUNT, COUNT, COUNT),
    st.booleans(),
    COUNT,
    st.floats(0.1, 10),
    st.lists(ANY, max_size=3).map(tuple),
)


@given(st.lists(PARTS).map(tuple))
def test_parts_come_back_as_they_were(parts: tuple[Part, ...]) -> None:
    raw = encode_parts(parts)
    assert decode_parts(raw) == parts
    assert encode_parts(decode_parts(raw)) == raw


@given(LONE)
def test_halves_of_surrogate_pairs_can_be_stored(text: str) -> None:
    raw = encode_parts([ToolResult("t1", "hours", text)])
    raw.encode()
    (back,) = decode_parts(raw)
    assert isinstance(back, ToolResult)
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")  # halves that meet are one sign
    assert back.text == whole


def test_parts_are_readable_and_hold_no_nul() -> None:
    assert encode_parts([Text("à 9 h")]) == '[{"text":"à 9 h"}]'
    assert "\0" not in encode_parts([Text("a\0b")])


@given(PLANS)
def test_plans_come_back_as_they_were(plan: Plan) -> None:
    assert decode_plan(encode_plan(plan)) == plan


def test_score_is_kept_to_four_decimals() -> None:
    section = SectionPlan("recall", 1, 2, (Candidate("m", 1, True, "kept", 0.123456),))
    (back,) = decode_plan(encode_plan(replace(PLAN, sections=(section,)))).sections
    assert back.candidates[0].score == 0.1235


@given(st.dictionaries(ANY, COUNT))
def test_counts_come_back_as_they_were(tokens: dict[str, int]) -> None:
    assert decode_tokens(encode_tokens(tokens)) == tokens


def test_missing_counts_are_none() -> None:
    assert decode_tokens("") == {}


@given(PLANS)
def test_a_plan_that_is_not_decoded_names_nothing(plan: Plan) -> None:
    if names_nothing(encode_plan(plan)):
        remembered = [one for one in plan.sections if one.name in ("profile", "summary", "recall")]
        assert len(remembered) >= 3
        assert not any(one.candidates for one in remembered)
        assert not plan.tools_digest


def shown(name: str) -> Plan:
    """A plan that names something in this section."""
    there = Candidate("fct_1", 3, True, "fits", None, '["profile",0,0,[],')
    sections = (replace(one, candidates=(there,)) if one.name == name else one for one in NO_PLAN.sections)
    return replace(NO_PLAN, sections=tuple(sections))


@given(st.lists(PLANS))
def test_many_plans_at_once_are_each_as_alone(plans: list[Plan]) -> None:
    assert decode_plans(map(encode_plan, plans)) == plans


@pytest.mark.parametrize("name", SECTIONS)
def test_what_a_section_names_is_read_among_many_plans(name: str) -> None:
    plan = shown(name)
    assert decode_plans(map(encode_plan, (NO_PLAN, plan, NO_PLAN))) == [NO_PLAN, plan, NO_PLAN]


def test_a_plan_that_names_nothing_is_read_without_its_sections() -> None:
    def pinned(section: SectionPlan) -> SectionPlan:
        itself = Candidate(section.name, 7, True, "pinned")
        return replace(section, tokens=7, grant=9, candidates=(itself,), digest="0a1b")

    first, *between, last = NO_PLAN.sections
    plan = replace(NO_PLAN, total=14, sections=(pinned(first), *between, pinned(last)))
    assert decode_plans([encode_plan(plan)]) == [replace(plan, sections=NO_PLAN.sections)]


def test_what_was_remembered_or_declared_is_seen_without_decoding() -> None:
    assert names_nothing(encode_plan(NO_PLAN))
    assert names_nothing(encode_plan(shown("input")))
    assert not any(names_nothing(encode_plan(shown(name))) for name in ("profile", "summary", "recall"))
    assert not names_nothing(encode_plan(replace(NO_PLAN, tools_digest="0a1b")))
