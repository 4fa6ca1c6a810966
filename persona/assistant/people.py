"""What an operator asks about users: who there is, what is known of one, what was erased."""

from typing import TextIO

from persona.assistant.database import prepared
from persona.conversation.services import utc_now_us
from persona.errors import NotFound
from persona.privacy import audit, export, look
from persona.privacy.look import Portrait
from persona.settings import Settings
from persona.store import people, receipts
from persona.values.owner import Owner
from persona.values.privacy import Exported, Finding, Receipt, UserEntry


def users(settings: Settings, tenant: str, most: int, after: str = "") -> list[UserEntry]:
    """The users of a tenant by name, those after a name."""
    with prepared(settings) as database:
        return database.run_now(lambda tx: people.listing(tx, tenant, most, after), write=False)


def portrait(settings: Settings, owner: Owner) -> Portrait:
    """What is kept about one user. Raises NotFound."""
    with prepared(settings) as database:
        return database.run_now(lambda tx: look.portrait(tx, owner), write=False)


def findings(settings: Settings, owner: Owner, days: int) -> list[Finding]:
    """What should be looked at in the profile of a user; `days` make a fact stale. Raises NotFound."""
    with prepared(settings) as database:
        found = database.run_now(lambda tx: audit.read(tx, owner), write=False)
    many = [name for name, slot in settings.profile.items() if slot.many]
    return audit.audit(*found, many, utc_now_us(), days)


def write_export(settings: Settings, owner: Owner, out: TextIO) -> Exported:
    """Writes everything that belongs to a user to an open file. Raises NotFound."""
    with prepared(settings) as database:
        return export.write_export(database, owner, out, utc_now_us())


def erasures(settings: Settings, most: int) -> list[Receipt]:
    """The receipts of what was erased, the newest first."""
    with prepared(settings) as database:
        return database.run_now(lambda tx: receipts.listing(tx, most), write=False)


def receipt(settings: Settings, id: str) -> Receipt:
    """One receipt. Raises NotFound."""
    with prepared(settings) as database:
        found = database.run_now(lambda tx: receipts.find(tx, id), write=False)
    if found is None:
        raise NotFound(f"no receipt {id!r}", hint="`persona users receipts` lists them")
    return found
