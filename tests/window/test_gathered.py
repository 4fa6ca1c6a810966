"""What the store gives to a window: whole tool groups, and counts in the tokens of the target that receives it."""

from collections.abc import AsyncIterator

from persona import Assistant
from persona.adapter import Adapter, Framing
from persona.errors import Overloaded
from persona.render.history import counted
from persona.settings.schema import Settings
from persona.store.conversations import Stored
from persona.values.message import Image, Message, Part, Role, Text, ToolCall, ToolResult
from persona.values.plan import Plan
from persona.values.request import Delta, Finish, Request, TextDelta, Usage
from persona.window.counting import Counter, EstimatingTokenizer

COUNTER = Counter(EstimatingTokenizer())


def stored(*said: tuple[Role, Part]) -> list[Stored]:
    """A path of messages of one part."""
    return [Stored(Message(role, (part,), f"m{at}", depth=at), {}) for at, (role, part) in enumerate(said)]


def ids(path: list[Stored]) -> list[str]:
    """The messages of the turns that a window may show."""
    return [message.id for turn in counted(path, COUNTER) for message in turn.messages]


CALL, RESULT = ToolCall("call_0", "hours", "{}"), ToolResult("call_0", "hours", "9 h")


def test_tool_group_that_was_never_answered_is_left_out_whole() -> None:
    path = stored(("user", Text("when?")), ("assistant", CALL), ("user", Text("hello?")), ("assistant", Text("hi")))
    assert ids(path) == ["m0", "m2", "m3"]


def test_later_call_of_the_same_number_does_not_answer_an_earlier_one() -> None:
    path = stored(
        *(("user", Text("when?")), ("assistant", CALL)),
        *(("user", Text("when?")), ("assistant", CALL), ("tool", RESULT), ("assistant", Text("at 9"))),
    )
    assert ids(path) == ["m0", "m2", "m3", "m4", "m5"]


def test_results_without_their_calls_are_left_out() -> None:
    path = stored(("user", Text("when?")), ("tool", RESULT), ("assistant", Text("at 9")))
    assert ids(path) == ["m0", "m2"]


def test_path_that_begins_within_a_turn_shows_whole_turns_only() -> None:
    path = stored(("tool", RESULT), ("assistant", Text("at 9")), ("user", Text("thanks")), ("assistant", Text("ok")))
    assert ids(path) == ["m2", "m3"]


def test_stored_count_of_a_picture_is_not_taken_over_from_another_model() -> None:
    message = Message("user", (Image("https://x/y.png", "low"),), "m0")
    (turn,) = counted([Stored(message, {COUNTER.name: 3_000})], COUNTER)
    assert turn.tokens == COUNTER.message(message)


class Letters:
    """Counts every character: many more tokens than the estimator."""

    name = "letters"
    exact = True
    framing = Framing(per_message=9)

    def count(self, text: str) -> int:
        """One for each character."""
        return len(text)


class Busy:
    """`big` is overloaded from the second call on, and `letters` answers then."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def call(self, request: Request) -> AsyncIterator[Delta]:
        """One short reply."""
        self.requests.append(request)
        if request.model == "big" and len(self.requests) > 4:
            raise Overloaded("try later")
        yield TextDelta("ok " * 30)
        yield Finish("end", Usage())

    async def close(self) -> None:
        """Nothing is open."""


def test_fallback_receives_a_window_in_its_own_tokens() -> None:
    model = Busy()
    adapter = Adapter(
        name="busy",
        chat=lambda provider: model,
        tokenizer=lambda id: Letters() if id == "letters" else None,
        needs_key=False,
    )
    settings = Settings.model_validate(
        {
            "store": {"url": "sqlite://"},
            "providers": {"busy": {"kind": "busy"}},
            "turn": {"retries": 0},
            "routes": {
                "support": {
                    "target": "busy:big",
                    "fallback": ["busy:letters"],
                    "window": {"budget": 900, "reserve": 200},
                }
            },
        }
    )
    with Assistant.open(settings, adapters=[adapter]) as assistant:
        chat = assistant.user("ada").conversation(route="support")
        for number in range(5):
            reply = chat.send(f"question number {number} about the town hall")
        plan = chat.why(reply.id)
        assert isinstance(plan, Plan)
    assert plan.target == "busy:letters"
    assert 0 < plan.history.turns < 4
    assert plan.total == Counter(Letters()).request(model.requests[-1].messages)
    assert plan.total <= plan.limit
