"""The sync classes offer what the async ones do, under the same names and with the same parameters."""

import inspect
import subprocess
import sys
from collections.abc import Iterator

import pytest

import persona
from persona import errors

PAIRS = [
    (persona.AsyncAssistant, persona.Assistant),
    (persona.AsyncUser, persona.User),
    (persona.AsyncConversation, persona.Conversation),
    (persona.AsyncKnowledge, persona.Knowledge),
    (persona.AsyncTurnStream, persona.TurnStream),
    (persona.AsyncJobs, persona.Jobs),
]
PUBLIC = """
    AdapterMissing Alarm AnswerRejected Assistant AsyncAssistant AsyncConversation AsyncJobs AsyncKnowledge
    AsyncTurnStream AsyncUser AuthenticationFailed BadReply BadRequest BusyError Cleaned ConnectionFailed
    Consent ContextTooLong Conversation ConversationBusy ConversationEntry Cost DatasetChanged DatasetError
    DocumentChange DocumentEntry EmbedderMismatch Erased Estimate Event Exported Fact Finding IdempotencyMismatch Idle
    Image InvalidAnswer InvalidInput Job Jobs Knowledge KnowledgeHit KnowledgeReport LimitReached LossPoint
    MergeOrder Merged Message MisuseError ModelNotFound NoRoom NotFound NotPromoted NothingLeft Overloaded Page
    PermissionDenied PersonaError Plan Prepared Progress ProviderError ProviderUnavailable RateLimited Recalled
    Receipt Refused Reply SchemaOutOfDate ScriptError Seen Settings SettingsError Source SplitLeaks StoreBusy
    StoreCorrupt StoreError StoreFull StoreReadOnly StoreUnavailable StreamCut Text TextDelta TimedOut
    TooExpensive ToolCall ToolFinished ToolLoopExceeded ToolResult ToolStarted TuningClosed TuningOrder
    TurnCancelled TurnInProgress TurnStream Usage User UserEntry WeightsDiffer WindowTooSmall
""".split()  # noqa: SIM905 - sixty names read better so
NOT_MIRRORED = {"services", "settings_of", "running"}  # how the async classes work together
TWINS = {"__aenter__": "__enter__", "__aexit__": "__exit__", "__aiter__": "__iter__"}


def _offered(kind: type) -> dict[str, object]:
    """The public members of a class, and those that make it work in `with` and `for`."""
    return {name: member for name, member in vars(kind).items() if not name.startswith("_") or name in TWINS}


def _members() -> Iterator[tuple[type, type, str]]:
    for real, twin in PAIRS:
        yield from ((real, twin, name) for name in _offered(real) if name not in NOT_MIRRORED)


@pytest.mark.parametrize(("real", "twin", "name"), [*_members()], ids=str)
def test_every_async_member_has_a_sync_twin_with_the_same_parameters(real: type, twin: type, name: str) -> None:
    one, other = getattr(real, name), getattr(twin, TWINS.get(name, name), None)
    assert other is not None, f"{twin.__name__} lacks {name}"
    if not callable(one):
        return
    parameters = [inspect.signature(member).parameters.values() for member in (one, other)]
    named = [[(p.name, p.kind, p.default, p.annotation) for p in each] for each in parameters]
    assert named[0] == named[1]
    said = [str(inspect.getdoc(member)).splitlines()[0] for member in (one, other)]
    assert said[0].replace("an async context", "a context") == said[1]


@pytest.mark.parametrize(("real", "twin"), PAIRS)
def test_the_sync_classes_offer_nothing_of_their_own(real: type, twin: type) -> None:
    own = {name for name in vars(twin) if not name.startswith("_")}
    attributes = {"id", "settings"}  # plain attributes of the async classes
    assert own <= {*_offered(real), *attributes}


def test_the_public_names_are_these_and_no_others() -> None:
    assert persona.__all__ == PUBLIC
    assert all(getattr(persona, name) for name in PUBLIC)


def test_every_public_class_and_function_says_what_it_is_for() -> None:
    for real, twin in PAIRS:
        for kind in (real, twin):
            assert inspect.getdoc(kind)
            for name, member in vars(kind).items():
                if not name.startswith("_") and callable(member):
                    assert inspect.getdoc(member), f"{kind.__name__}.{name}"


def test_every_error_is_public_and_drawn_in_the_tree() -> None:
    kinds = {
        name for name, kind in vars(errors).items() if isinstance(kind, type) and kind.__module__ == errors.__name__
    }
    assert kinds <= set(PUBLIC)
    assert not [name for name in kinds if f"{name} " not in f"{errors.__doc__} ".replace("\n", " ")]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Asistant'"):
        persona.Asistant  # noqa: B018 - it raises
    assert set(PUBLIC) <= set(dir(persona))


def test_importing_persona_loads_nothing_heavy() -> None:
    script = "import sys, persona; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    heavy = {"sqlmodel", "sqlalchemy", "pydantic", "numpy", "faiss", "openai", "tiktoken", "asyncio", "httpx"}
    assert not heavy & set(done.stdout.split())
