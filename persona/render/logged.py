"""One logged exchange with the words that its plan names: what it is rendered from, for a shadow or a comparison."""

from dataclasses import dataclass

from persona.render.known import recalled_ids
from persona.store import log
from persona.store.codec import decode_plan
from persona.store.transaction import Transaction
from persona.values.log import LoggedConversation, LoggedExchange, LoggedMemory
from persona.values.plan import Plan
from persona.values.request import AnswerSchema, Tool
from persona.window.counting import declared_in


@dataclass(frozen=True, slots=True)
class Logged:
    """An exchange, its plan, the memories that it names by id, and the tools and schema that were declared."""

    conversation: LoggedConversation
    exchange: LoggedExchange
    plan: Plan
    memories: dict[str, LoggedMemory]
    declared: tuple[tuple[Tool, ...], AnswerSchema | None]


def read(tx: Transaction, conversation: LoggedConversation, exchange: LoggedExchange) -> Logged:
    """The exchange with everything that `Past.render` takes."""
    plan = decode_plan(exchange.plan)
    digest = plan.tools_digest
    schemas = log.prompts(tx, [digest]).get(digest, "") if digest else ""
    return Logged(conversation, exchange, plan, log.memories(tx, recalled_ids(plan)), declared_in(schemas))
