"""The questions in files of examples that are held out: an evaluation set, somebody's benchmark."""

from collections.abc import Iterable
from pathlib import Path

from persona.errors import InvalidInput
from persona.harvest.formats import available
from persona.harvest.formats.detect import detect
from persona.harvest.formats.reading import container_of, lines


def questions_of(paths: Iterable[Path]) -> tuple[str, ...]:
    """The last words of a user in every example of these files, which may be in any known format, or plain lines.

    Raises InvalidInput for a file that is not there or cannot be read.
    """
    return tuple(dict.fromkeys(question for path in paths for question in _questions(path)))


def _questions(path: Path) -> Iterable[str]:
    if path.suffix == ".txt":
        return _plain(path)
    formats = available()
    one = formats[detect(path, formats)[0]]
    found = []
    for line in lines(path, container_of(path)):
        if line.row is None or any(problem.error for problem in one.problems(line.row)):
            raise InvalidInput(
                f"line {line.number} of {path.name} cannot be read", hint=f"persona check {path} says why"
            )
        example = one.example(line.row, str(line.number))
        found += [message.text for message in example.messages if message.role == "user"][-1:]
    return found


def _plain(path: Path) -> Iterable[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read {str(path)!r}: {type(error).__name__}", hint="name a UTF-8 file") from error
