"""Whether an answer has the form that is wanted, and whether it shows a placeholder that nobody should see."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from persona.errors import InvalidInput

Form = Callable[[str], bool]
"""Whether an answer has the wanted form."""

_PLACEHOLDER = re.compile(r"\[[a-z]+(?:_[a-z]+)*_\d+\]|<[A-Z]{3,}(?:_[A-Z0-9]+)*>|\{\{\s*\w+\s*\}\}", re.ASCII)


def leaked(answer: str, asked: str = "") -> bool:
    """Whether an answer holds what stands for something: [email_1], <NAME>, {{ name }}, unless it was asked with it."""
    return any(found not in asked for found in _PLACEHOLDER.findall(answer))


def form_of(schema: Path | None, pattern: str) -> Form | None:
    """The form that a JSON schema in a file, or a regular expression for the whole answer, describes.

    None when nothing is wanted. Raises InvalidInput for what is neither.
    """
    if schema and pattern:
        raise InvalidInput("a form is a schema or a pattern, not both", hint="pass one of them")
    if schema:
        return _by_schema(schema)
    if not pattern:
        return None
    try:
        whole = re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise InvalidInput(f"{pattern!r} is no regular expression: {error}", hint="mend it") from error
    return lambda answer: whole.fullmatch(answer.strip()) is not None


def _by_schema(path: Path) -> Form:
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for  # 60 ms, and only a comparison with a schema needs it

    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
        validator_for(schema).check_schema(schema)
    except (OSError, ValueError, SchemaError) as error:
        raise InvalidInput(f"{str(path)!r} holds no JSON schema", hint="name a file with one") from error
    return follows(schema)


def follows(schema: Mapping[str, Any]) -> Form:
    """The form that a JSON schema describes."""
    from jsonschema.validators import validator_for

    validator = validator_for(schema)(schema)

    def valid(answer: str) -> bool:
        try:
            said: Any = json.loads(answer)
        except (ValueError, RecursionError):
            return False
        return bool(validator.is_valid(said))

    return valid
