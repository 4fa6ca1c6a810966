from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from persona.errors import SettingsError
from persona.settings import Settings, load
from persona.settings.shape import leaves

KNOWN = {part for leaf in leaves(Settings) for part in leaf}
DEEPER = {
    "a",
    "arms",
    "base",
    "items",
    "max",
    "sections",
    "serve",
    "shots",
    "target",
    "variables",
    "window",
    "",
}
NAMES = st.sampled_from(sorted(KNOWN | DEEPER))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates() | st.just("a:b"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(list(Settings.model_fields)), VALUES))
def test_whatever_a_file_holds_it_is_read_or_is_a_settings_error(tables):
    with suppress(SettingsError):
        assert Settings.model_validate(tables).routes


@given(
    st.dictionaries(
        st.lists(NAMES, min_size=1, max_size=5).map(lambda parts: "PERSONA_" + "__".join(parts).upper()),
        st.text(max_size=8) | st.sampled_from(["{}", "[]", "[1]", '{"a": {}}', '{"": []}', "null", "[[[["]),
        max_size=4,
    )
)
def test_whatever_the_environment_holds_it_is_read_or_is_a_settings_error(env):
    with suppress(SettingsError):
        assert load(env=env).routes
