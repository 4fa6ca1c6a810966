"""The names that are written out here are those of the published conventions."""

from opentelemetry.semconv._incubating.attributes import error_attributes, gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics

from persona.telemetry import names

KNOWN = {
    value
    for module in (gen_ai_attributes, gen_ai_metrics, error_attributes)
    for value in vars(module).values()
    if isinstance(value, str)
}


def test_every_name_is_of_the_conventions_or_personas_own() -> None:
    written = [value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)]
    written += names.USAGE.values()
    assert len(written) > 30
    assert [name for name in written if not name.startswith("persona.") and name not in KNOWN] == []
