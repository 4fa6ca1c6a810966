"""Where models come from, read from the store: for an operator."""

from collections.abc import Iterable, Iterator, Mapping

from persona.assistant.database import prepared
from persona.errors import NotFound
from persona.promotion.lineage import Kind, Lineage, Link, Node, lineage
from persona.settings import Settings
from persona.store import datasets, jobs, promotions
from persona.store import lineage as rows
from persona.store.lineage import Compared, compared_on, model_of, trained_on
from persona.store.transaction import Transaction
from persona.values.dataset import DatasetEntry
from persona.values.owner import Owner
from persona.values.promotion import Promotion
from persona.values.tuning import Job


def lineage_of(settings: Settings, wanted: str) -> Lineage:
    """What a route, model, dataset, job, comparison or step came from, and what came of it. Raises NotFound."""
    with prepared(settings) as database:
        return lineage(database.run_now(_links, write=False), wanted)


def lineage_of_user(settings: Settings, owner: Owner) -> Lineage:
    """What was made of a user's words. Raises NotFound for somebody who is not stored, or of whom nothing was made."""
    kind: Kind = "user"
    with prepared(settings) as database:
        key = database.run_now(lambda tx: rows.key_of(tx, owner.tenant, owner.name), write=False)
        if key is None:
            raise NotFound(f"no user {owner.name!r} is stored", hint="see `persona users list`")
        links = database.run_now(_links, write=False)
    if not any(link.earlier == Node("user", str(key)) for link in links):
        return Lineage((Node("user", str(key)),), (), ())
    return lineage(links, str(key), kind)


def _links(tx: Transaction) -> list[Link]:
    known = datasets.listing(tx)
    found = list[Link]()
    for key, id, number in rows.examples_of_owners(tx):
        user = Node("user", str(key))
        found.append(Link(user, Node("dataset", id), f"{number:,} examples"))
        before = (old for old in known if id in rows.replacing(known, old))
        found += (Link(user, Node("dataset", old.id), f"at least {number:,} examples") for old in before)
    found += (
        Link(Node("dataset", old.id), Node("dataset", old.replaced_by), "rewritten") for old in known if old.replaced_by
    )
    found += (link for one in rows.comparisons(tx) for link in _of_comparison(one, known))
    every = jobs.newest(tx, rows.MOST_JOBS)
    made = {one.progress.tuned_model: model for one in every if one.progress and (model := model_of(one))}
    found += (link for one in every for link in _of_job(one, known))
    found += (link for one in every for link in _of_merge(one, made))
    return [*found, *(link for one in promotions.all_of_them(tx) for link in _of_step(one))]


def _of_comparison(one: Compared, known: Iterable[DatasetEntry]) -> Iterator[Link]:
    here = Node("evaluation", one.id)
    for arm, target in one.arms:
        yield Link(Node("model", target), here, f"as {arm}")
    for dataset in known:
        if compared_on(one, dataset):
            yield Link(Node("dataset", dataset.id), here, f"compared on it: {one.verdict}")


def _of_job(one: Job, known: Iterable[DatasetEntry]) -> Iterator[Link]:
    here = Node("job", one.id)
    for dataset in known:
        if trained_on(one, dataset):
            yield Link(Node("dataset", dataset.id), here, "trained on it")
    if model := model_of(one):
        yield Link(here, Node("model", model), "trained it")


def _of_merge(one: Job, made: Mapping[str, str]) -> Iterator[Link]:
    """What a merged model was made of; a folder that a job here has made is that job's model."""
    for part in one.parts:
        yield Link(Node("model", made.get(part, part)), Node("job", one.id), "merged into it")


def _of_step(one: Promotion) -> Iterator[Link]:
    here = Node("promotion", one.id)
    yield Link(here, Node("route", one.route), f"{one.arm}: {one.step}, by {one.who}")
    yield Link(Node("model", one.target), here, one.step)
    if one.evaluation:
        yield Link(Node("evaluation", one.evaluation), here, one.step)
    if one.job:
        yield Link(Node("job", one.job), Node("model", one.target), "trained it")
