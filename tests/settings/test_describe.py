import re
from collections.abc import Iterator
from pathlib import Path

from persona.settings import Settings, load
from persona.settings.describe import commented_toml, markdown
from persona.settings.fields import Table
from persona.settings.shape import entry_at, table_at

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def fields(model: type[Table]) -> Iterator[tuple[str, str | None]]:
    for name, field in model.model_fields.items():
        yield name, field.description
        inner = table_at(entry_at(field.annotation) or field.annotation)
        if inner is not None:
            yield from fields(inner)


def load_text(text: str, folder: Path) -> Settings:
    path = folder / "persona.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, {})


def test_the_written_file_equals_the_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_text(commented_toml(), tmp_path) == Settings()


def test_the_written_file_loads_with_every_key_uncommented(tmp_path):
    text, count = re.subn(r"(?m)^#(?=\S)", "", commented_toml())
    settings = load_text(text, tmp_path)
    assert count > 40
    assert list(settings.routes["default"].arms) == ["base", "tuned"]
    assert settings.routes["default"].shots.items[0].assistant == "At nine."
    assert list(settings.providers) == ["acme"]
    assert list(settings.knowledge) == ["docs"]


def test_every_key_is_in_the_file_and_on_the_page():
    file, page = commented_toml(), markdown()
    for name, description in fields(Settings):
        assert re.search(rf"(?m)^#? *{name}( =|:)|[\[.]{name}[\].]|{{ .*{name} = ", file), name
        assert re.search(rf"`(….)?{name}`|[\[.]{name}[\].]", page), name
        assert description, name
        assert description in file, name
        assert description in page, name


def test_the_page_is_current():
    current = PAGE.read_text(encoding="utf-8") == markdown()
    assert current, "run: python -m persona.settings.describe > docs/configuration.md"
