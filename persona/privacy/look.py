"""What is kept about users: who they are, in numbers, and everything that was ever known about one of them."""

from dataclasses import dataclass

from persona.errors import NotFound
from persona.store import consents as answers
from persona.store import facts, owners, people
from persona.store.engine import Database
from persona.store.people import Numbers
from persona.store.transaction import Transaction
from persona.values.memory import Fact
from persona.values.owner import Owner
from persona.values.privacy import Consent


@dataclass(frozen=True, slots=True)
class Portrait:
    """One user: how much is kept, what they agreed to, whether facts are learnt of them, and every fact that ever held.

    The facts are in the order they began to hold.
    """

    owner: Owner
    numbers: Numbers
    consent: bool | None
    consents: tuple[Consent, ...]
    learning: bool
    facts: tuple[Fact, ...]


def portrait(tx: Transaction, owner: Owner) -> Portrait:
    """Everything to be shown about a user. Raises NotFound."""
    state = owners.find(tx, owner)
    if state is None:
        raise NotFound(f"nothing is stored for user {owner.name!r}", hint="`persona users list` says who there is")
    said = tuple(answers.history(tx, state.key))
    known = tuple(facts.history(tx, state.key))
    return Portrait(owner, people.numbers(tx, state.key), state.consent, said, state.learning, known)


async def consents(database: Database, owner: Owner) -> tuple[Consent, ...]:
    """Every answer that the user gave, the first one first."""

    def read(tx: Transaction) -> tuple[Consent, ...]:
        state = owners.find(tx, owner)
        return tuple(answers.history(tx, state.key)) if state else ()

    return await database.run(read, write=False)
