"""The commands, and what all of them share: errors in one line, exit codes, a quiet end of a broken pipe."""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import persona
from persona.cli import (
    advise,
    ask,
    chat,
    check,
    compare,
    costs,
    database,
    datasets,
    doctor,
    harvest,
    importing,
    init,
    knowledge,
    limits,
    lineage,
    memory,
    privacy,
    promote,
    routes,
    tasks,
    tune,
    users,
    why,
    work,
)
from persona.cli.output import show, show_error
from persona.errors import PersonaError

_EPILOG = "Example: persona init, then persona chat --user ada\n\nExit codes: 0 done, 1 failed, 2 misuse"


class Commands(TyperGroup):
    """The group of all commands: what a command raises becomes a line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command. What is still to be printed is written here, where a closed pipe ends quietly."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except PersonaError as error:
            raise typer.Exit(show_error(error)) from None
        return result


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
)


def _version(asked: bool) -> None:
    if asked:
        show(f"persona {persona.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Chat assistants that remember each user."""


def _group(name: str, panel: str, what: str, example: str) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, help=what, epilog=f"Example: persona {example}")
    app.add_typer(group, name=name, rich_help_panel=panel)
    return group


def _listing(name: str, panel: str, listing: Callable[..., None], example: str) -> typer.Typer:
    """A group that lists when no command is named."""
    group = typer.Typer()
    group.callback(invoke_without_command=True, epilog=f"Example: persona {example}")(listing)
    app.add_typer(group, name=name, rich_help_panel=panel)
    return group


def _add(group: typer.Typer, name: str, command: Callable[..., None], example: str, panel: str | None = None) -> None:
    group.command(name, epilog=f"Example: persona {example}", rich_help_panel=panel)(command)


_CHAT = "Chat"
_add(app, "init", init.init, "init", _CHAT)
_add(app, "chat", chat.chat, "chat --user ada", _CHAT)
_add(app, "ask", ask.ask, 'ask "When do you open?" --user ada --json', _CHAT)
_add(app, "why", why.why, "why msg_01M7YQZV304R3PK12FB6XV2VF5", _CHAT)
_add(app, "conversations", users.conversations, "conversations --user ada --limit 5", _CHAT)

_KNOWN = "Users, and what is known"
_add(app, "remember", users.remember, "remember vegetarian --kind preference --user ada", _KNOWN)
_add(app, "facts", users.facts, "facts --user ada --at 2026-03-01", _KNOWN)
_add(app, "recall", users.recall, 'recall "Where does she live?" --user ada', _KNOWN)
_users = _group(
    "users",
    _KNOWN,
    "List, show, export, erase, merge and audit users; record their consent.",
    "users list --tenant acme",
)
_add(_users, "list", privacy.users, "users list --tenant acme --json")
_add(_users, "show", privacy.show_user, "users show ada")
_add(_users, "export", privacy.export, "users export ada --output ada.json")
_add(_users, "erase", privacy.erase, "users erase ada --yes")
_add(_users, "merge", privacy.merge, "users merge visitor-81 ada")
_add(_users, "consent", privacy.consent, "users consent ada --training no")
_add(_users, "learning", privacy.learning, "users learning ada off")
_add(_users, "audit", privacy.audit, "users audit ada --days 180")
_add(_users, "receipts", privacy.receipts, "users receipts --json")
_knowledge = _group(
    "knowledge", _KNOWN, "Add, list, search and remove documents to answer from.", "knowledge add docs ./manuals"
)
_add(_knowledge, "add", knowledge.add, "knowledge add docs ./manuals prices.pdf")
_add(_knowledge, "list", knowledge.documents, "knowledge list docs --json")
_add(_knowledge, "remove", knowledge.remove, "knowledge remove docs prices.pdf")
_add(_knowledge, "search", knowledge.search, 'knowledge search docs "When do you open?"')
_memory = _group("memory", _KNOWN, "Show which embedder made the vectors, and move them to another.", "memory reembed")
_add(_memory, "status", memory.status, "memory status --json")
_add(_memory, "reembed", memory.reembed, "memory reembed --config persona.toml")

_DATA = "Training data"
_add(app, "import", importing.import_, "import chats.jsonl --as trl --route support", _DATA)
_add(app, "harvest", harvest.harvest, "harvest support --format trl --out datasets", _DATA)
_add(app, "check", check.check, "check train.jsonl validation.jsonl --format trl", _DATA)
_add(app, "formats", check.formats, "formats --json", _DATA)
_datasets = _group(
    "datasets", _DATA, "List, show and compare datasets; rewrite them without who was erased.", "datasets list"
)
_add(_datasets, "list", datasets.listing, "datasets list --json")
_add(_datasets, "show", datasets.describe, "datasets show dst_3f9a0c51d2e84b7a6c10")
_add(_datasets, "diff", datasets.diff, "datasets diff datasets/dst_3f9a0c datasets/dst_91be07")
_add(_datasets, "rewrite", datasets.rewrite, "datasets rewrite dst_3f9a0c51d2e8 --without-erased")

_MODELS = "Models and routes"
_add(app, "advise", advise.advise, "advise support --training-price 3 --hosting-price 0", _MODELS)
_add(app, "compare", compare.compare, "compare support --on datasets/dst_1/trl/test --arms base,tuned", _MODELS)
_add(app, "promote", promote.promote, "promote support tuned --to canary", _MODELS)
_add(app, "rollback", promote.rollback, 'rollback support --why "tuned invents prices"', _MODELS)
_add(app, "lineage", lineage.lineage, "lineage support --json", _MODELS)
_tune = _group(
    "tune",
    _MODELS,
    "Start, watch and end tuning jobs; merge what they made.",
    "tune start datasets/dst_1 -b acme -m small",
)
_add(_tune, "start", tune.start, "tune start datasets/dst_1 -b acme -m small --epochs 3 --limit-usd 20")
_add(_tune, "list", tune.listing, "tune list --json")
_add(_tune, "watch", tune.watch, "tune watch JOB --picture loss.html")
_add(_tune, "cancel", tune.cancel, "tune cancel JOB")
_add(_tune, "clean", tune.clean, "tune clean --expired")
_add(_tune, "idle", tune.idle, "tune idle")
_add(_tune, "keep", tune.keep, "tune keep JOB --hours 48")
_add(_tune, "resume", tune.resume, "tune resume JOB --option merge=true")
_add(_tune, "merge", tune.merge, "tune merge JOB_1 JOB_2 --weight 0.7 --weight 0.3")
_add(_tune, "again", tune.again, "tune again JOB --backend local --model ./small")
_routes = _listing("routes", _MODELS, routes.routes, "routes")
_add(_routes, "set", routes.change, "routes set support.serve tuned")
_add(_routes, "hold", routes.hold, 'routes hold support base --why "tuned invents prices"')
_add(_routes, "release", routes.release, "routes release support")
_add(_routes, "history", routes.history, "routes history --json")

_OPERATIONS = "Operations"
_add(app, "doctor", doctor.doctor, "doctor --config persona.toml", _OPERATIONS)
_add(app, "costs", costs.costs, "costs --by day,route --since 2026-11-01", _OPERATIONS)
_add(app, "limits", limits.limits, "limits --json", _OPERATIONS)
_add(app, "work", work.work, "work --once", _OPERATIONS)
_add(app, "prune", work.prune, "prune --dry-run", _OPERATIONS)
_tasks = _listing("tasks", _OPERATIONS, tasks.tasks, "tasks --state dead")
_add(_tasks, "retry", tasks.retry, "tasks retry --all")
_database = _group("db", _OPERATIONS, "Make the tables of a database, or bring them up to date.", "db upgrade")
_add(_database, "upgrade", database.upgrade, "db upgrade --config persona.toml")
_add(_database, "version", database.version, "db version --json")
