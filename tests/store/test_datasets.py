"""The registry of datasets: whose examples are in which."""

from dataclasses import replace

import pytest
from stored import ADA, BOB, NOW

from persona.store import datasets, erasure, owners, receipts
from persona.store.engine import Database
from persona.store.ids import new_id
from persona.store.transaction import Transaction
from persona.values.dataset import DatasetEntry
from persona.values.owner import Owner
from persona.values.privacy import Receipt

ENTRY = DatasetEntry("dst_1", "support", "/data/dst_1", 5, "abc", NOW, NOW + 1)


@pytest.fixture
def keys(database: Database) -> tuple[int, int]:
    def make(tx: Transaction) -> tuple[int, int]:
        return owners.find_or_make(tx, ADA, NOW).key, owners.find_or_make(tx, BOB, NOW).key

    return database.run_now(make)


def erase(database: Database, owner: Owner) -> tuple[str, ...]:
    """Erases an owner with a receipt; returns the datasets that it names."""

    def work(tx: Transaction) -> tuple[str, ...]:
        taken = erasure.erase_owner(tx, owner)
        assert taken
        receipts.add(tx, taken.owner_key, Receipt(new_id("rcp"), "user", NOW, taken.rows, {}, datasets=taken.datasets))
        return taken.datasets

    return database.run_now(work)


def test_a_dataset_is_listed_when_it_is_registered(database: Database, keys: tuple[int, int]) -> None:
    assert datasets.register(database, ENTRY, [(keys[0], 3), (keys[1], 2)])
    assert database.run_now(datasets.listing) == [ENTRY]
    assert database.run_now(lambda tx: datasets.find(tx, "dst_1")) == ENTRY
    assert database.run_now(lambda tx: datasets.find(tx, "dst_2")) is None


def test_registering_again_changes_nothing(database: Database, keys: tuple[int, int]) -> None:
    for _ in range(2):
        assert datasets.register(database, ENTRY, [(keys[0], 3)])
    assert database.run_now(datasets.listing) == [ENTRY]


def test_an_erasure_names_the_datasets_of_the_owner_alone(database: Database, keys: tuple[int, int]) -> None:
    datasets.register(database, ENTRY, [(keys[0], 3), (keys[1], 2)])
    datasets.register(database, replace(ENTRY, id="dst_2"), [(keys[1], 2)])
    datasets.register(database, replace(ENTRY, id="dst_3"), [(keys[0], 1)])
    assert erase(database, ADA) == ("dst_1", "dst_3")
    (receipt,) = database.run_now(lambda tx: receipts.listing(tx, 9))
    assert [id in " ".join(receipt.remains) for id in ("dst_1", "dst_2", "dst_3")] == [True, False, True]


def test_a_replaced_dataset_holds_nobody(database: Database, keys: tuple[int, int]) -> None:
    datasets.register(database, ENTRY, [(keys[0], 3)])
    database.run_now(lambda tx: datasets.replaced(tx, "dst_1", "dst_2"))
    assert database.run_now(lambda tx: datasets.of_owner(tx, keys[0])) == []
    found = database.run_now(lambda tx: datasets.find(tx, "dst_1"))
    assert found
    assert (found.state, found.replaced_by) == ("replaced", "dst_2")


def test_a_dataset_with_rows_of_somebody_just_erased_is_not_registered(
    database: Database, keys: tuple[int, int]
) -> None:
    erase(database, ADA)
    assert not datasets.register(database, ENTRY, [(keys[0], 3), (keys[1], 2)])
    assert database.run_now(datasets.listing) == []
    since = database.run_now(receipts.newest)
    assert datasets.register(database, replace(ENTRY, receipts=since), [(keys[1], 2)])


def test_more_owners_than_one_transaction_takes_are_registered(database: Database, keys: tuple[int, int]) -> None:
    assert datasets.register(database, ENTRY, ((10 + number, 1) for number in range(2_001)))
    assert database.run_now(lambda tx: datasets.of_owner(tx, 2_010)) == ["dst_1"]
