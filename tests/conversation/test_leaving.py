"""The caller goes away: the turn finishes and is logged in full, or is cancelled, as the settings say."""

import asyncio
import signal
import threading

import pytest
from talking import Desk
from wire import WireServer

from persona import AsyncConversation, Conversation, MisuseError, Refused, TextDelta, TimedOut, TurnCancelled
from persona.values.request import Request

REQUEST = Request("any", ())


class Half:
    """A reply whose second half waits to be let go."""

    def __init__(self) -> None:
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, request: Request) -> str:
        self.begun.set()
        await self.go.wait()
        return "nine."


async def _first_words(chat: AsyncConversation, half: Half) -> None:
    """Reads the first piece of a stream and leaves."""
    async with chat.stream("When?") as turn:
        async for event in turn:
            assert event == TextDelta("At ")
            break
        await half.begun.wait()


async def test_a_stream_that_is_left_is_finished_and_logged_in_full(desk: Desk) -> None:
    half = Half()
    desk.model.then(["At ", half])
    async with desk.open_async() as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        await _first_words(chat, half)
        assert desk.log.claimed
        half.go.set()
    assert [(row["outcome"], row["partial"]) for row in desk.log.exchanges] == [("answered", "")]
    assert '"At nine."' in desk.log.messages[-1]["parts"]
    assert not desk.log.claimed


async def test_a_stream_that_is_left_is_cancelled_when_the_settings_say_so(desk: Desk) -> None:
    half = Half()
    desk.model.then(["At ", half], "back")
    async with desk.open_async(turn={"on_disconnect": "cancel"}) as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        await _first_words(chat, half)
        (exchange,) = desk.log.exchanges
        assert (exchange["outcome"], exchange["error"], exchange["partial"]) == ("cancelled", "TurnCancelled", "At ")
        assert desk.log.turns[0]["state"] == "cancelled"
        assert not desk.log.claimed
        assert (await chat.send("Hello?")).text == "back"
        assert [message.text for message in await chat.messages()] == ["When?", "Hello?", "back"]


async def test_a_stream_that_was_cancelled_says_so_to_whoever_reads_it_later(desk: Desk) -> None:
    half = Half()
    desk.model.then(["At ", half])
    async with desk.open_async(turn={"on_disconnect": "cancel"}) as assistant:
        stream = assistant.user("ada").conversation().stream("When?")
        async with stream:
            async for _ in stream:
                break
        with pytest.raises(TurnCancelled, match="send it again"):
            async for _ in stream:
                pass


async def test_an_assistant_that_is_closing_refuses_new_turns_and_ends_those_that_run(desk: Desk) -> None:
    half = Half()
    desk.model.then(["At ", half])
    async with desk.open_async() as assistant:
        user = assistant.user("ada")
        running = asyncio.create_task(user.conversation().send("When?"))
        await half.begun.wait()
        closing = asyncio.create_task(assistant.close())
        await asyncio.sleep(0)  # it has begun
        with pytest.raises(MisuseError, match=r"is closed.*open another one"):
            await user.conversation().send("And now?")
        with pytest.raises(MisuseError, match="is closed"):
            async with user.conversation().stream("And now?"):
                pass
        half.go.set()
        assert (await running).text == "At nine."
        await closing


async def test_a_send_whose_caller_is_cancelled_finishes_by_itself(desk: Desk) -> None:
    half = Half()
    desk.model.then(["At ", half])
    async with desk.open_async() as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        task = asyncio.create_task(chat.send("When?", idempotency_key="m1"))
        await half.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        half.go.set()
        await assistant.running.join()
        assert (await chat.send("When?", idempotency_key="m1")).text == "At nine."


async def test_a_send_whose_caller_is_cancelled_is_cancelled_when_the_settings_say_so(desk: Desk) -> None:
    half = Half()
    desk.model.then(["At ", half], "At ten.")
    async with desk.open_async(turn={"on_disconnect": "cancel"}) as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        task = asyncio.create_task(chat.send("When?", idempotency_key="m1"))
        await half.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert desk.log.outcomes() == [("cancelled", "TurnCancelled")]
        assert (await chat.send("When?", idempotency_key="m1")).text == "At ten."
    assert [row["state"] for row in desk.log.turns] == ["answered"]


async def test_a_caller_with_a_timeout_of_its_own_leaves_the_conversation_free(desk: Desk) -> None:
    half = Half()
    desk.model.then(half, "back")
    async with desk.open_async(turn={"on_disconnect": "cancel"}) as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)

        async def leave() -> None:
            async with asyncio.timeout(60) as limit:
                begun = asyncio.create_task(half.begun.wait())
                begun.add_done_callback(lambda _: limit.reschedule(asyncio.get_running_loop().time()))
                await chat.send("When?")

        with pytest.raises(TimeoutError):
            await leave()
        assert (await chat.send("Hello?")).text == "back"


async def test_closing_waits_for_a_turn_that_nobody_reads(desk: Desk) -> None:
    half = Half()
    desk.model.then(["At ", half])
    assistant = desk.open_async()
    chat = assistant.user("ada").conversation()
    async with chat.stream("When?"):
        await half.begun.wait()
    closing = asyncio.create_task(assistant.close())
    await asyncio.sleep(0)
    assert not closing.done()
    half.go.set()
    await closing
    assert desk.log.turns[0]["state"] == "answered"


def test_a_stream_that_was_read_to_its_end_yields_nothing_more(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("At nine.", Refused("no"))
    with chat.stream("When?") as turn:
        assert len(list(turn)) == 2
        assert list(turn) == []
    assert list(turn) == []
    with chat.stream("When?") as turn:
        for _ in range(2):
            with pytest.raises(Refused):
                list(turn)


@pytest.mark.parametrize("durability", ["normal", "full"])  # done at once, and with hops to a thread
async def test_cancelled_at_any_step_a_turn_leaves_the_conversation_free_and_in_order(
    desk: Desk, durability: str
) -> None:
    async def slowly(request: Request) -> str:
        for _ in range(10):
            await asyncio.sleep(0)
        return "At nine."

    states = set()
    async with desk.open_async(turn={"on_disconnect": "cancel"}, store={"durability": durability}) as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        desk.model.then("hello")
        await chat.send("hello")
        for steps in range(40):
            asked = len(desk.model.requests)
            desk.model.then(slowly)
            turn = asyncio.create_task(chat.send(f"number {steps}"))
            for _ in range(steps):
                await asyncio.sleep(0 if durability == "normal" else 0.0001)
            turn.cancel()
            await asyncio.wait([turn])
            if len(desk.model.requests) == asked:
                desk.model.take(REQUEST)  # cancelled before the model was called
            assert not desk.log.claimed
            states.add(desk.log.turns[-1]["state"])
        stored = await chat.messages()
    assert [message.depth for message in stored] == list(range(len(stored)))
    assert {"cancelled", "answered"} <= states


def test_an_error_in_the_callers_own_loop_leaves_the_stream_in_order(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("At nine.", "back")
    with pytest.raises(KeyError):
        _stumble(chat)
    assert chat.send("Hello?", timeout_s=5).text == "back"


def _stumble(chat: Conversation) -> None:
    with chat.stream("When?") as turn:
        for _ in turn:
            raise KeyError("the caller's own")


@pytest.mark.parametrize("streaming", [False, True])
def test_a_server_that_hangs_is_timed_out_and_the_log_says_so(desk: Desk, streaming: bool) -> None:
    with WireServer() as server:
        chat = desk.chat(**_wired(server))
        chat.send("Hello")  # loads the SDK, which is not what is timed here
        server.stream(["At "], end="hang") if streaming else server.hang()
        with pytest.raises(TimedOut) as late:
            _ask(chat, streaming, timeout_s=0.1)
        server.wait_for_hang_up()
        assert late.value.retryable
        exchange, turn = desk.log.exchanges[-1], desk.log.turns[-1]
        assert (exchange["outcome"], exchange["error"]) == ("failed", "TimedOut")
        assert exchange["partial"] == ("At " if streaming else "")
        assert (turn["state"], turn["error"]) == ("failed", "TimedOut")
        assert not desk.log.claimed
        server.reply("back")
        assert chat.send("Hello?").text == "back"
        shown = [m["content"].rpartition("\n")[2] for m in server.bodies[-1]["messages"][1:]]
        assert shown == ["Hello", "ok", "When?", "Hello?"]


def _wired(server: WireServer) -> dict[str, object]:
    return {
        "providers": {"wired": {"kind": "openai", "base_url": server.url}},
        "routes": {"default": {"target": "wired:m"}},
    }


def _ask(chat: Conversation, streaming: bool, timeout_s: float) -> None:
    if not streaming:
        chat.send("When?", timeout_s=timeout_s)
        return
    with chat.stream("When?", timeout_s=timeout_s) as turn:
        for _ in turn:
            pass


def test_control_c_in_a_sync_call_cancels_the_turn(desk: Desk) -> None:
    async def interrupted(request: Request) -> str:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        await asyncio.Event().wait()
        return "never"

    chat = desk.chat(turn={"on_disconnect": "cancel"})
    desk.model.then(interrupted)
    with pytest.raises(KeyboardInterrupt):
        chat.send("When?")
    desk.assert_nothing_was_lost(chat, "When?", "cancelled", "TurnCancelled")
