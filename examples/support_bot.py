"""A support bot in a terminal: a folder of documents, a Python function as a tool, and feedback.

Run `python examples/support_bot.py` and type; "no: …" corrects the last reply, an empty line or Ctrl-D ends it.
"""

from contextlib import suppress
from datetime import date
from pathlib import Path

from persona import Assistant, Conversation, PersonaError, Reply, Settings

DOCUMENTS = Path(__file__).resolve().parent / "demo" / "knowledge" / "*.md"


def parcel_status(number: int) -> str:
    """The status of a parcel, by its tracking number."""
    return f"parcel {number} arrived on {date(2026, 11, 20):%d %B}" if number % 2 else f"parcel {number} is on its way"


def settings() -> Settings:
    """The same tables as in a persona.toml."""
    return Settings.model_validate(
        {
            "knowledge": {"documents": {"files": [str(DOCUMENTS)]}},
            "routes": {
                "support": {
                    "instructions": "You are the support of a post office. Answer briefly, and name your source.",
                    "knowledge": ["documents"],
                }
            },
        }
    )


def answer(chat: Conversation, text: str, last: Reply | None) -> Reply | None:
    """One line of the user: feedback on the last reply, or a turn."""
    if last and text.startswith("no:"):
        chat.correct(last.id, text.removeprefix("no:").strip())
        print("  (noted: the log keeps what it should have been)")
        return last
    reply = chat.send(text, tools=[parcel_status])
    named = ", ".join(dict.fromkeys(source.title or source.date for source in reply.sources))
    print(f"  {reply.text}\n  (shown to the model: {named or 'no memory'})")
    return reply


def main() -> None:
    with suppress(EOFError), Assistant.open(settings()) as assistant:
        chat, last = assistant.user("terminal").conversation(), None
        while text := input("> ").strip():
            try:
                last = answer(chat, text, last)
            except PersonaError as error:
                print(f"  {type(error).__name__}: {error.hint}")


if __name__ == "__main__":
    main()
