"""How the budget is shared out among the sections."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from windows import rules_for, usual_rules

from persona.errors import WindowTooSmall
from persona.settings.window import Window
from persona.values.plan import SectionName
from persona.window.budget import first_that_fit, refuse, share_out
from persona.window.rules import EXACT, FLEXIBLE, SectionRule, WindowRules, rules_of

wants = st.fixed_dictionaries({name: st.integers(0, 3000) for name in FLEXIBLE})
frozen = st.sampled_from([(), ("profile", "shots", "summary"), ("profile",)])


@given(st.integers(0, 4000).flatmap(rules_for), wants, st.integers(0, 4000), frozen)
def test_grants_never_exceed_the_room_nor_what_is_wanted(
    rules: WindowRules, wanted: dict[SectionName, int], pinned: int, stands: tuple[SectionName, ...]
) -> None:
    room = max(0, rules.limit - pinned)
    granted = share_out(rules, wanted, room, stands)
    assert sum(granted.values()) <= room
    for name, grant in granted.items():
        assert 0 <= grant <= wanted[name]
        assert name in stands or grant * EXACT <= rules.sections[name].bounds(rules.limit)[1]


@given(
    st.integers(0, 4000).flatmap(rules_for),
    wants,
    st.integers(0, 4000),
    st.integers(1, 50) | st.integers(1, 5000),
    frozen,
)
def test_no_grant_falls_when_the_limit_grows(
    rules: WindowRules, wanted: dict[SectionName, int], pinned: int, more: int, stands: tuple[SectionName, ...]
) -> None:
    small = share_out(rules, wanted, max(0, rules.limit - pinned), stands)
    larger = replace(rules, limit=rules.limit + more)
    large = share_out(larger, wanted, max(0, larger.limit - pinned), stands)
    for name in FLEXIBLE:
        assert small[name] <= large[name], name


@given(st.integers(0, 4000).flatmap(rules_for), wants)
def test_room_is_left_over_only_when_everyone_has_what_it_may_get(
    rules: WindowRules, wanted: dict[SectionName, int]
) -> None:
    granted = share_out(rules, wanted, rules.limit)
    if sum(granted.values()) + len(FLEXIBLE) < rules.limit:  # a fraction of a token is lost to each
        for name, grant in granted.items():
            assert grant == min(wanted[name], rules.most(name))


def test_minimum_is_served_before_a_higher_priority_gets_more() -> None:
    rules = usual_rules(1000)
    granted = share_out(rules, dict.fromkeys(FLEXIBLE, 1000), 250)
    assert granted == {"profile": 50, "recall": 0, "summary": 0, "shots": 0, "history": 200}


def test_lowest_priority_number_is_served_first() -> None:
    sections: dict[SectionName, SectionRule] = {name: SectionRule(priority=9) for name in FLEXIBLE}
    sections["recall"] = SectionRule(priority=0)
    granted = share_out(WindowRules(100, 0, sections), dict.fromkeys(FLEXIBLE, 80), 100)
    assert granted["recall"] == 80
    assert sum(granted.values()) == 100


def test_what_is_frozen_keeps_what_it_has_when_its_max_falls() -> None:
    wanted = {**dict.fromkeys(FLEXIBLE, 0), "profile": 100}
    rules = usual_rules(900)
    assert share_out(rules, wanted, 900)["profile"] == 90
    assert share_out(rules, wanted, 900, ["profile"])["profile"] == 100


@given(st.lists(st.integers(1, 50)), st.integers(-5, 300))
def test_first_sizes_that_fit_are_as_many_as_can_be(sizes: list[int], tokens: int) -> None:
    number = first_that_fit(sizes, tokens)
    assert sum(sizes[:number]) <= max(0, tokens)
    assert number == len(sizes) or sum(sizes[: number + 1]) > tokens


@given(st.integers(1, 100_000), st.integers(1, 100_000), st.none() | st.integers(1, 100_000), st.floats(0.5, 3.0))
def test_limit_in_the_providers_tokens_and_the_reserve_never_exceed_the_model(
    budget: int, reserve: int, context_tokens: int | None, scale: float
) -> None:
    window = Window.model_construct(budget=budget, reserve=reserve)
    rules = rules_of(window, context_tokens, scale)
    assert rules.limit * scale + rules.reserve <= min(budget, context_tokens or budget) + 1e-6
    assert rules.limit >= 0


def test_shares_of_the_settings_arrive_in_the_rules() -> None:
    rules = rules_of(Window(), None, 1.0)
    assert rules.limit == 8192 - 1024
    assert rules.sections["profile"] == SectionRule(0, 0.10, 1)
    assert rules.most("profile") == 716


def test_refusal_says_the_whole_arithmetic_and_what_to_do() -> None:
    refused = refuse(usual_rules(50), {"instructions": 40, "tools": 8, "input": 20, "framing": 3})
    assert isinstance(refused, WindowTooSmall)
    assert str(refused).startswith(
        "what must be sent takes 71 tokens (instructions 40 + tools 8 + input 20 + framing 3), "
        "but the input may take 50 (100 more are kept for the reply)"
    )
    assert refused.hint
