"""The commands, and what all of them share: errors in one line, exit codes, a quiet end of a broken pipe."""

import sys
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


app.command("init", epilog="Example: persona init")(init.init)
app.command("chat", epilog="Example: persona chat --user ada")(chat.chat)
app.command("ask", epilog='Example: persona ask "When do you open?" --user ada --json')(ask.ask)
app.command("why", epilog="Example: persona why msg_01M7YQZV304R3PK12FB6XV2VF5")(why.why)
app.command("conversations", epilog="Example: persona conversations --user ada --limit 5")(users.conversations)
app.command("remember", epilog="Example: persona remember vegetarian --kind preference --user ada")(users.remember)
app.command("facts", epilog="Example: persona facts --user ada --at 2026-03-01")(users.facts)
app.command("doctor", epilog="Example: persona doctor --config persona.toml")(doctor.doctor)

app.command("check", epilog="Example: persona check train.jsonl validation.jsonl --format trl")(check.check)
app.command("formats", epilog="Example: persona formats --json")(check.formats)
app.command("import", epilog="Example: persona import chats.jsonl --as trl --route support")(importing.import_)
app.command("compare", epilog="Example: persona compare support --on datasets/dst_1/trl/test --arms base,tuned")(
    compare.compare
)
app.command("costs", epilog="Example: persona costs --by day,route --since 2026-11-01")(costs.costs)

app.command("limits", epilog="Example: persona limits --json")(limits.limits)

app.command("work", epilog="Example: persona work --once")(work.work)
app.command("prune", epilog="Example: persona prune --dry-run")(work.prune)

app.command("harvest", epilog="Example: persona harvest support --format trl --out datasets")(harvest.harvest)
_datasets = typer.Typer(no_args_is_help=True, help="Look after datasets.", epilog="Example: persona datasets list")
_datasets.command("list", epilog="Example: persona datasets list --json")(datasets.listing)
_datasets.command("show", epilog="Example: persona datasets show dst_3f9a0c51d2e84b7a6c10")(datasets.describe)
_datasets.command("diff", epilog="Example: persona datasets diff datasets/dst_3f9a0c datasets/dst_91be07")(
    datasets.diff
)
_datasets.command("rewrite", epilog="Example: persona datasets rewrite dst_3f9a0c51d2e8 --without-erased")(
    datasets.rewrite
)
app.add_typer(_datasets, name="datasets")

_tasks = typer.Typer()
_tasks.callback(invoke_without_command=True, epilog="Example: persona tasks --state dead")(tasks.tasks)
_tasks.command("retry", epilog="Example: persona tasks retry --all")(tasks.retry)
app.add_typer(_tasks, name="tasks")

_knowledge = typer.Typer(
    no_args_is_help=True, help="Look after documents.", epilog="Example: persona knowledge add docs ./manuals"
)
_knowledge.command("add", epilog="Example: persona knowledge add docs ./manuals prices.pdf")(knowledge.add)
_knowledge.command("list", epilog="Example: persona knowledge list docs --json")(knowledge.documents)
_knowledge.command("remove", epilog="Example: persona knowledge remove docs prices.pdf")(knowledge.remove)
_knowledge.command("search", epilog='Example: persona knowledge search docs "When do you open?"')(knowledge.search)
app.add_typer(_knowledge, name="knowledge")

_routes = typer.Typer()
_routes.callback(invoke_without_command=True, epilog="Example: persona routes")(routes.routes)
_routes.command("set", epilog="Example: persona routes set support.serve tuned")(routes.change)
_routes.command("hold", epilog='Example: persona routes hold support base --why "tuned invents prices"')(routes.hold)
_routes.command("release", epilog="Example: persona routes release support")(routes.release)
_routes.command("history", epilog="Example: persona routes history --json")(routes.history)
app.add_typer(_routes, name="routes")

app.command("advise", epilog="Example: persona advise support --training-price 3 --hosting-price 0")(advise.advise)
app.command("lineage", epilog="Example: persona lineage support --json")(lineage.lineage)
app.command("promote", epilog="Example: persona promote support tuned --to canary")(promote.promote)
app.command("rollback", epilog='Example: persona rollback support --why "tuned invents prices"')(promote.rollback)
_tune = typer.Typer(
    no_args_is_help=True, help="Tune models.", epilog="Example: persona tune start datasets/dst_1 -b acme -m small"
)
_tune.command("start", epilog="Example: persona tune start datasets/dst_1 -b acme -m small --epochs 3 --limit-usd 20")(
    tune.start
)
_tune.command("list", epilog="Example: persona tune list --json")(tune.listing)
_tune.command("watch", epilog="Example: persona tune watch JOB --picture loss.html")(tune.watch)
_tune.command("cancel", epilog="Example: persona tune cancel JOB")(tune.cancel)
_tune.command("clean", epilog="Example: persona tune clean --expired")(tune.clean)
_tune.command("idle", epilog="Example: persona tune idle")(tune.idle)
_tune.command("keep", epilog="Example: persona tune keep JOB --hours 48")(tune.keep)
_tune.command("resume", epilog="Example: persona tune resume JOB --option merge=true")(tune.resume)
_tune.command("merge", epilog="Example: persona tune merge JOB_1 JOB_2 --weight 0.7 --weight 0.3")(tune.merge)
_tune.command("again", epilog="Example: persona tune again JOB --backend local --model ./small")(tune.again)
app.add_typer(_tune, name="tune")

_memory = typer.Typer(no_args_is_help=True, help="Look after vectors.", epilog="Example: persona memory reembed")
_memory.command("status", epilog="Example: persona memory status --json")(memory.status)
_memory.command("reembed", epilog="Example: persona memory reembed --config persona.toml")(memory.reembed)
app.add_typer(_memory, name="memory")

_users = typer.Typer(no_args_is_help=True, help="Look after users.", epilog="Example: persona users list --tenant acme")
_users.command("list", epilog="Example: persona users list --tenant acme --json")(privacy.users)
_users.command("show", epilog="Example: persona users show ada")(privacy.show_user)
_users.command("export", epilog="Example: persona users export ada --output ada.json")(privacy.export)
_users.command("erase", epilog="Example: persona users erase ada --yes")(privacy.erase)
_users.command("merge", epilog="Example: persona users merge visitor-81 ada")(privacy.merge)
_users.command("consent", epilog="Example: persona users consent ada --training no")(privacy.consent)
_users.command("learning", epilog="Example: persona users learning ada off")(privacy.learning)
_users.command("audit", epilog="Example: persona users audit ada --days 180")(privacy.audit)
_users.command("receipts", epilog="Example: persona users receipts --json")(privacy.receipts)
app.add_typer(_users, name="users")

_database = typer.Typer(no_args_is_help=True, help="Look after the database.", epilog="Example: persona db upgrade")
_database.command("upgrade", epilog="Example: persona db upgrade --config persona.toml")(database.upgrade)
_database.command("version", epilog="Example: persona db version --json")(database.version)
app.add_typer(_database, name="db")
