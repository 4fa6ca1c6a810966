"""What is remembered crosses conversations: facts at once, and what was said when it has been indexed."""

from talking import Desk, said_in, window_of

from persona.values.request import Request


def _section(request: Request, name: str) -> str:
    """What stands between the tags of one section, over the whole request."""
    _, opened, rest = said_in(request).partition(f"<{name}>\n")
    return rest.partition(f"</{name}>")[0] if opened else ""


def test_what_was_said_in_one_conversation_is_recalled_in_another(desk: Desk) -> None:
    assistant = desk.open()
    ada = assistant.user("ada")
    desk.model.then("noted", "oat milk")
    said = ada.conversation()
    said.send("My coffee is made with oat milk, always.")
    assert assistant.drain() == 1
    chat = ada.conversation()
    reply = chat.send("What milk do I take in my coffee?")
    assert "oat milk" in _section(desk.model.requests[-1], "recall")
    assert [source.kind for source in reply.sources] == ["turn"]
    assert reply.sources[0].memory_id == chat.why(reply.id).section("recall").candidates[0].id


def test_what_is_in_the_history_is_not_recalled_beside_it(desk: Desk) -> None:
    assistant = desk.open()
    desk.model.then("noted", "oat milk")
    chat = assistant.user("ada").conversation()
    chat.send("My coffee is made with oat milk, always.")
    assistant.drain()
    reply = chat.send("What milk do I take in my coffee?")
    assert _section(desk.model.requests[-1], "recall") == ""
    (candidate,) = chat.why(reply.id).section("recall").candidates
    assert (candidate.included, candidate.rule) == (False, "already in the history")
    assert reply.sources == ()


def test_recalled_words_are_never_stored_back_into_the_history(desk: Desk) -> None:
    assistant = desk.open()
    ada = assistant.user("ada")
    desk.model.then("noted", "oat milk", "yes")
    ada.conversation().send("My coffee is made with oat milk, always.")
    assistant.drain()
    chat = ada.conversation()
    chat.send("What milk do I take in my coffee?")
    chat.send("Thanks.")
    assert window_of(desk.model.requests[-1])[0] == ("user", "What milk do I take in my coffee?")
    assert "<recall>" not in str(chat.messages())


def test_memory_survives_a_restart(desk: Desk) -> None:
    desk.model.then("noted", "oat milk")
    with desk.open() as assistant:
        assistant.user("ada").conversation().send("My coffee is made with oat milk, always.")
        assistant.drain()
    desk.open().user("ada").conversation().send("What milk do I take in my coffee?")
    assert "oat milk" in _section(desk.model.requests[-1], "recall")


def test_nothing_said_becomes_a_memory_when_the_settings_say_so(desk: Desk) -> None:
    assistant = desk.open(memory={"turns": False})
    desk.model.then("noted")
    assistant.user("ada").conversation().send("My coffee is made with oat milk, always.")
    assert assistant.drain() == 0


def test_a_new_fact_is_in_the_very_next_window_and_in_the_profile_of_the_next_conversation(desk: Desk) -> None:
    ada = desk.open().user("ada")
    desk.model.then("hello", "noted", "hello again")
    chat = ada.conversation()
    chat.send("hello")
    ada.remember("allergic to peanuts", kind="preference")
    chat.send("and now?")
    assert "allergic to peanuts" in _section(desk.model.requests[1], "recall")
    assert _section(desk.model.requests[1], "profile") == ""
    ada.conversation().send("hello")
    assert "allergic to peanuts" in _section(desk.model.requests[2], "profile")
    assert _section(desk.model.requests[2], "recall") == ""


def test_a_forgotten_fact_is_gone_at_once_from_a_running_conversation(desk: Desk) -> None:
    assistant = desk.open()
    ada = assistant.user("ada")
    peanuts, tea = ada.remember("allergic to peanuts"), ada.remember("drinks tea")
    assistant.drain()
    desk.model.then("hello", "who knows")
    chat = ada.conversation()
    chat.send("hello")
    assert "peanuts" in _section(desk.model.requests[0], "profile")
    ada.forget(peanuts.id)
    chat.send("What about peanuts?")
    assert "allergic" not in said_in(desk.model.requests[1])
    assert "drinks tea" in _section(desk.model.requests[1], "profile")
    assert ada.facts() == (tea,)


def test_a_fact_forgotten_before_it_reached_a_profile_is_gone_too(desk: Desk) -> None:
    assistant = desk.open()
    ada = assistant.user("ada")
    desk.model.then("a", "b", "c")
    chat = ada.conversation()
    chat.send("hello")
    fact = ada.remember("allergic to peanuts")
    chat.send("hm")
    ada.forget(fact.id)
    assistant.drain()
    chat.send("What about peanuts?")
    assert "allergic" in said_in(desk.model.requests[1])
    assert "allergic" not in said_in(desk.model.requests[2])


def test_the_same_fact_told_twice_is_one_fact(desk: Desk) -> None:
    ada = desk.open().user("ada")
    first = ada.remember("allergic to peanuts")
    assert ada.remember("  allergic to\n peanuts ").id == first.id
    assert [fact.text for fact in ada.facts()] == ["allergic to peanuts"]
    ada.forget(first.id)
    assert ada.facts() == ()
    assert ada.remember("allergic to peanuts").id != first.id


def test_a_profile_is_the_same_bytes_turn_after_turn(desk: Desk) -> None:
    ada = desk.open().user("ada")
    ada.remember("allergic to peanuts")
    desk.model.then(*["ok"] * 3)
    chat = ada.conversation()
    for at in range(3):
        chat.send(f"number {at}")
        if at == 0:
            ada.remember("drinks tea")
    profiles = {request.messages[1].text for request in desk.model.requests}
    assert len(profiles) == 1


def test_who_the_user_is_and_what_time_it_is_stand_in_the_input_only(desk: Desk) -> None:
    ada = desk.open().user("ada")
    ada.address("Ada Lovelace", locale="fr-FR", time_zone="Europe/Paris")
    desk.model.then("bonjour")
    ada.conversation().send("hello")
    *others, last = desk.model.requests[0].messages
    assert 'time_zone="Europe/Paris" locale="fr-FR" user="Ada Lovelace"/>' in last.text
    assert "Lovelace" not in str(others)
