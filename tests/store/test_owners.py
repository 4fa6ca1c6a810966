"""Owners: made once, told apart, and counted up."""

from dataclasses import replace

from stored import ADA, BOB

from persona.store import owners
from persona.store.engine import Database
from persona.store.transaction import Transaction
from persona.values.owner import Owner, Traits


def test_owner_is_made_once(database: Database) -> None:
    made = database.run_now(lambda tx: owners.find_or_make(tx, ADA, 1))
    again = database.run_now(lambda tx: owners.find_or_make(tx, ADA, 2))
    assert made == again
    assert database.run_now(lambda tx: owners.find(tx, BOB)) is None


def test_same_name_in_another_tenant_or_as_knowledge_is_somebody_else(database: Database) -> None:
    names = [
        ADA,
        replace(ADA, tenant="other"),
        replace(ADA, kind="knowledge"),
        Owner("", "acmeada"),
        Owner("acmeada", ""),
    ]
    keys = [database.run_now(lambda tx, who=who: owners.find_or_make(tx, who, 1)).key for who in names]
    assert len(set(keys)) == len(names)


def test_consent_is_unasked_until_it_is_given_or_refused(database: Database) -> None:
    def told(tx: Transaction, answer: bool) -> bool | None:
        key = owners.find_or_make(tx, ADA, 1).key
        owners.set_consent(tx, key, answer, 2)
        return owners.find_or_make(tx, ADA, 3).consent

    assert database.run_now(lambda tx: owners.find_or_make(tx, ADA, 1)).consent is None
    assert database.run_now(lambda tx: told(tx, False)) is False
    assert database.run_now(lambda tx: told(tx, True)) is True


def test_traits_are_read_back_as_written(database: Database) -> None:
    traits = Traits("Ada", "fr-FR", "Europe/Paris")
    key = database.run_now(lambda tx: owners.find_or_make(tx, ADA, 1)).key
    database.run_now(lambda tx: owners.set_traits(tx, key, traits))
    found = database.run_now(lambda tx: owners.find(tx, ADA))
    assert found
    assert found.traits == traits


def test_touch_counts_only_that_owner_up(database: Database) -> None:
    ada = database.run_now(lambda tx: owners.find_or_make(tx, ADA, 1))
    bob = database.run_now(lambda tx: owners.find_or_make(tx, BOB, 1))
    assert [database.run_now(lambda tx: owners.touch(tx, ada.key)) for _ in range(2)] == [1, 2]
    assert database.run_now(lambda tx: owners.find(tx, BOB)) == bob
