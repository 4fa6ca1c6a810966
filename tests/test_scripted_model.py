"""The scripted model does what its script says, and says so when a test uses it differently."""

import doctest
import subprocess
import sys

import pytest

import persona.testing
from persona import Assistant, AsyncAssistant, RateLimited, ScriptError, Settings, StreamCut, TextDelta, ToolCall
from persona.testing import Cut, ScriptedModel, WordTokenizer, scripted
from persona.values.request import Finish, Request, Usage

IN_MEMORY = Settings.model_validate(
    {"store": {"url": "sqlite://"}, "tasks": {"run": False}, "routes": {"default": {"target": "scripted:any"}}}
)


def test_the_example_of_the_module_runs() -> None:
    tried = doctest.testmod(persona.testing)
    assert tried.attempted
    assert not tried.failed


def test_importing_it_loads_no_assistant_and_nothing_heavy() -> None:
    script = "import sys, persona.testing; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    heavy = {"pydantic", "sqlmodel", "sqlalchemy", "numpy", "faiss", "asyncio", "persona.assistant"}
    assert not heavy & set(done.stdout.split())


def test_it_records_every_request_in_order() -> None:
    with scripted("one", "two") as (assistant, model):
        chat = assistant.user("ada").conversation()
        chat.send("first")
        chat.send("second")
    assert [request.messages[-1].text.splitlines()[-1] for request in model.requests] == ["first", "second"]


def test_a_step_may_be_a_function_of_the_request() -> None:
    def shout(request: Request) -> str:
        return request.messages[-1].text.splitlines()[-1].upper()

    with scripted(shout) as (assistant, _):
        assert assistant.user("ada").conversation().send("hello").text == "HELLO"


def test_a_step_may_be_an_async_function() -> None:
    async def later(request: Request) -> list[str]:
        return ["a", "b"]

    with scripted(later) as (assistant, _):
        assert assistant.user("ada").conversation().send("hello").text == "ab"


def test_a_stream_brings_a_reply_word_by_word() -> None:
    with (
        scripted("At nine,  and\nnot before.") as (assistant, _),
        assistant.user("ada").conversation().stream("when?") as turn,
    ):
        pieces = [event.text for event in turn if isinstance(event, TextDelta)]
    assert pieces == ["At ", "nine,  ", "and\n", "not ", "before."]


def test_a_stop_reason_and_usage_of_ones_own_are_reported() -> None:
    with scripted(["cut off", Finish("length", Usage(20, 5))]) as (assistant, _):
        reply = assistant.user("ada").conversation().send("hello")
    assert (reply.stop, reply.usage) == ("length", Usage(20, 5))


def test_words_before_a_tool_call_and_several_calls_are_one_step() -> None:
    seen: list[str] = []

    def look(at: str) -> str:
        """Looks at something."""
        seen.append(at)
        return "seen"

    steps = ["Let me look.", ToolCall("1", "look", '{"at": "a"}'), ToolCall("2", "look", '{"at": "b"}')]
    with scripted(steps, "done") as (assistant, _):
        assert assistant.user("ada").conversation().send("look", tools=[look]).text == "done"
    assert sorted(seen) == ["a", "b"]


def test_an_error_is_raised_and_a_cut_is_a_cut() -> None:
    with scripted(RateLimited("slow down", retry_after_s=60), Cut("half a")) as (assistant, _):
        chat = assistant.user("ada").conversation()
        with pytest.raises(RateLimited, match="slow down"):
            chat.send("hello")
        with pytest.raises(StreamCut) as cut:
            chat.send("hello")
    assert cut.value.text == "half a"


def test_a_call_too_many_is_an_error_at_once_and_is_not_retried() -> None:
    model = ScriptedModel("only one")
    with Assistant.open(IN_MEMORY, adapters=[model.adapter]) as assistant:
        chat = assistant.user("ada").conversation()
        chat.send("first")
        with pytest.raises(ScriptError, match="called 2 times, and its script has 1 steps"):
            chat.send("second")
    assert len(model.requests) == 2


def test_a_call_too_many_is_an_error_at_the_end_too_when_somebody_swallowed_it() -> None:
    model = ScriptedModel()
    with Assistant.open(IN_MEMORY, adapters=[model.adapter]) as assistant, pytest.raises(ScriptError):
        assistant.user("ada").conversation().send("hello")
    with pytest.raises(ScriptError, match="called 1 times"), model:
        pass


def test_an_unused_step_is_an_error_at_the_end() -> None:
    with pytest.raises(ScriptError, match="has 2 steps, and the model was called 1"), scripted("a", "b") as (a, _):
        a.user("ada").conversation().send("hello")


def test_an_unused_step_does_not_hide_what_went_wrong_first() -> None:
    with pytest.raises(KeyError), scripted("never said"):
        raise KeyError("the test's own")


async def test_it_serves_the_async_assistant() -> None:
    with ScriptedModel("hello") as model:
        async with AsyncAssistant.open(IN_MEMORY, adapters=[model.adapter]) as assistant:
            assert (await assistant.user("ada").conversation().send("hi")).text == "hello"


def test_it_stands_in_for_an_installed_adapter_under_its_name() -> None:
    settings = Settings.model_validate({"store": {"url": "sqlite://"}, "routes": {"default": {"target": "openai:any"}}})
    model = ScriptedModel("hello", name="openai")
    with model, Assistant.open(settings, adapters=[model.adapter]) as assistant:
        assert assistant.user("ada").conversation().send("hi").target == "openai:any"


def test_a_word_tokenizer_counts_words_and_marks_exactly() -> None:
    model = ScriptedModel("hello", tokenizer=WordTokenizer())

    with model, Assistant.open(IN_MEMORY, adapters=[model.adapter]) as assistant:
        chat = assistant.user("ada").conversation()
        plan = chat.why(chat.send("hi").id)
    assert (plan.counter, plan.label) == ("words", "exact")
    assert WordTokenizer().count("Well, two words.") == 5
    assert WordTokenizer().count("a>\n") + WordTokenizer().count("<b") == WordTokenizer().count("a>\n<b")
