"""The plan as a record: for machines and back, and for people."""

import json

from hypothesis import given
from hypothesis import strategies as st
from windows import Session, hit, long_text, shot, usual_rules

from persona.values.plan import SECTIONS, Candidate, HistoryRange, Plan, SectionPlan

count = st.integers(0, 10**9)
text = st.text(max_size=20)
candidates = st.builds(
    Candidate, text, count, st.booleans(), text, st.none() | st.floats(allow_nan=False, allow_infinity=False), text
)
sections = st.tuples(
    *(
        st.builds(SectionPlan, st.just(name), count, count, st.lists(candidates, max_size=3).map(tuple), text)
        for name in SECTIONS
    )
)
plans = st.builds(
    Plan,
    target=text,
    counter=text,
    label=st.sampled_from(["exact", "calibrated", "estimate"]),
    sections=sections,
    history=st.builds(HistoryRange, count, count, text, count, count, count),
    jumped=st.booleans(),
    prefix_tokens=count,
    scale=st.floats(0.5, 5),
    notes=st.lists(text, max_size=3).map(tuple),
    tools_digest=text,
)


@given(plans)
def test_plan_comes_back_from_json_as_it_was(plan: Plan) -> None:
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


@given(plans)
def test_plan_of_a_newer_version_can_be_read(plan: Plan) -> None:
    assert Plan.from_dict({**plan.to_dict(), "unheard_of": 1}) == plan


@given(plans)
def test_plan_names_every_section_for_people(plan: Plan) -> None:
    said = str(plan)
    assert all(name in said for name in SECTIONS)
    assert str(plan.total) in said


def test_plan_reads_like_a_receipt() -> None:
    session = Session(usual_rules(400), shots=(shot(0, "when?"),), recalled=(hit(0, "the cat is called Minou"),))
    session.remember("likes teal")
    session.recalled += (hit(1, long_text(80)),)
    (window,) = session.turn("hi")
    assert str(window.plan).splitlines() == [
        f"t:m: {window.plan.total} of 400 tokens (estimate, estimate-1), 100 kept for the reply, "
        "0 unchanged since the last request",
        "  instructions      8 tokens",
        "    + instructions (8 tokens): pinned",
        f"  shots        {window.plan.section('shots').tokens:>6} tokens",
        f"    + shot0 ({window.plan.section('shots').tokens} tokens): frozen at the anchor",
        f"  profile      {window.plan.section('profile').tokens:>6} tokens",
        f"    + preference ({window.plan.section('profile').candidates[0].tokens} tokens): frozen at the anchor",
        "  summary           0 tokens",
        "  history           0 tokens",
        f"  recall       {window.plan.section('recall').tokens:>6} tokens",
        f"    + file.md ({window.plan.section('recall').candidates[0].tokens} tokens, score 1.00): fits",
        f"    - file.md ({window.plan.section('recall').candidates[1].tokens} tokens, score 0.50): "
        "over the section's 60 tokens",
        f"  input        {window.plan.section('input').tokens:>6} tokens",
        f"    + input ({window.plan.section('input').tokens} tokens): pinned",
        "  tools             0 tokens",
        "  framing           3 tokens",
    ]
