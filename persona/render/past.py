"""A logged exchange, asked anew through an arm: the messages it would be sent, and what each of them is.

Pure. Through the arm that it had, an exchange is byte for byte what was sent then, unless something was erased or
changed since: the digests in its plan tell, and a note says so. For another arm the same things are known as then
(facts, memories, summaries, the time), and its own window decides what goes in. That window starts where the logged
one did, or at the first message where it has more room: what this arm would have frozen earlier, nobody knows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from persona.render.known import Known, MemoryLines, facts_shown, hits, missing
from persona.render.prepare import importance, stated
from persona.render.prompts import shot_block, shot_id
from persona.render.rendered import Rendered, as_sent, plain, with_history
from persona.routing.routes import Arm, Shot
from persona.store.codec import decode_plan
from persona.values.log import LoggedConversation, LoggedExchange, LoggedMemory
from persona.values.message import Message
from persona.values.plan import NO_PLAN, Candidate, Plan, SectionName
from persona.values.record import record
from persona.values.request import AnswerSchema, Target, Tool
from persona.window.anchor import tokens_of
from persona.window.blocks import BARE_CONTEXT, context_block, with_blocks
from persona.window.counting import Counter
from persona.window.fit import fit, write
from persona.window.materials import Anchor, Block, Line, Materials, PastTurn, Summary, block
from persona.window.rules import WindowRules
from persona.window.snapshot import anchor_of

_CHOSEN = frozenset({"shots", "profile", "summary", "recall"})  # what a window may be without
_NEVER_US = 1  # an anchor that is set has a time; nothing here asks which


@record(frozen=True, slots=True)
class _Scene:
    """One exchange at its time."""

    known: Known
    exchange: LoggedExchange
    plan: Plan
    asked: Message
    running: tuple[Message, ...]
    memories: Mapping[str, LoggedMemory]
    tools: tuple[Tool, ...]
    answer: AnswerSchema | None


class Past:
    """Renders logged exchanges through one arm; what comes again is made and counted once.

    `counter` and `rules` are those of the target that is to be asked.
    """

    def __init__(self, arm: Arm, target: Target, counter: Counter, rules: WindowRules) -> None:
        self._arm = arm
        self._target = str(target)
        self.counter = counter
        self._rules = self._then = rules
        self._instructions = block("instructions", arm.instructions, counter)
        self._shots = {shot_id(shot): shot_block(shot, counter) for shot in arm.shots}
        self._lines = MemoryLines(counter)
        self._known: Known | None = None

    @property
    def prompts(self) -> dict[str, str]:
        """The words behind the digests of this arm's instructions and shots."""
        blocks = (self._instructions, *self._shots.values())
        return {one.digest: "\n\n".join(message.text for message in one.messages) for one in blocks}

    def render(
        self,
        conversation: LoggedConversation,
        exchange: LoggedExchange,
        memories: Mapping[str, LoggedMemory],
        tools: Sequence[Tool] = (),
        answer: AnswerSchema | None = None,
        *,
        plan: Plan | None = None,
        shots: Sequence[Shot] | None = None,
        whole: bool = False,
        counted: bool = True,
    ) -> Rendered:
        """What this arm would be sent for the exchange.

        `memories` are those that its plan names (`known.recalled_ids`), by their ids; `tools` and `answer` what is kept
        under the plan's digest of what was declared (`counting.declared_in`). `plan` is the exchange's own, where it is
        decoded already. `shots` are those of this arm, where the first ones are not meant. With `whole` the history is
        the whole conversation, whatever the budget, and no summary. Unless it is to be `counted`, only its messages are
        told. Raises NotFound when the reply or its question was erased, or the call brought no reply; WindowTooSmall.
        """
        known = self._of(conversation)
        plan = plan or decode_plan(exchange.plan)
        scene = _Scene(known, exchange, plan, *known.asked(exchange), memories, tuple(tools), answer)
        same = (exchange.route, exchange.arm, plan.counter) == (self._arm.route, self._arm.name, self.counter.name)
        if same and not (counted or whole) and (found := self._plainly(scene)):
            return found
        if same:
            materials, anchor, rules = self._as_it_was(scene)
        else:
            materials, anchor, rules = self._as_it_would_be(scene, shots)
        if not counted:
            written = write(materials, rules, anchor)
            rendered = as_sent(materials, written.messages, written.around[:3])
        else:
            fitted = fit(materials, rules, anchor)
            notes = tuple(missing(plan, known, memories))
            if same:
                notes += tuple(_differences(plan, fitted.plan))
            around = fitted.plan.sections[1:4]
            rendered = as_sent(materials, fitted.messages, around, fitted.plan, fitted.stable, notes)
        return with_history(rendered, known.turns_before(scene.asked, 0), self.counter) if whole else rendered

    def _of(self, conversation: LoggedConversation) -> Known:
        if self._known is None or self._known.conversation is not conversation:
            self._known = Known(conversation, self.counter)
        return self._known

    def _plainly(self, scene: _Scene) -> Rendered | None:
        """The uncounted window as it was, where nothing was chosen for it and all has room to spare, as most is."""
        if scene.tools or scene.answer or _chose(scene.plan):
            return None
        turns = scene.known.turns_before(scene.asked, scene.plan.history.first_depth)
        context = self._context(scene)
        asked, rules = with_blocks(scene.asked, context), self._rules_then(scene.plan)
        pinned = sum(map(self.counter.at_most, (asked, *scene.running))) + self.counter.framing.per_request
        room = min(rules.limit - pinned - self._instructions.tokens, rules.most("history"))
        if room < tokens_of(turns):
            return None
        standing, past = self._instructions.messages, [message for turn in turns for message in turn.messages]
        return plain(standing, past, asked, scene.running, scene.asked, context)

    def _context(self, scene: _Scene) -> str:
        return context_block(stated(self._arm.stated, scene.known.conversation.traits, scene.asked.created_us))

    def _as_it_was(self, scene: _Scene) -> tuple[Materials, Anchor, WindowRules]:
        """Only what went in, with the anchor that the plan tells: all of it fits again, in the same order."""
        plan, known = scene.plan, scene.known
        profile = [self._line(known, one.id) for one in _included(plan, "profile")]
        recall = _included(plan, "recall")
        waiting = [self._line(known, one.id) for one in recall if one.score is None]
        lines = [
            self._lines.line(memory, one.score)
            for one in recall
            if one.score is not None and (memory := known.memory(scene.memories, one.id))
        ]
        shots = [one.id for one in _included(plan, "shots")]
        told = {one.id for one in _included(plan, "summary")}
        summaries = known.summaries(scene.exchange, scene.asked) if told else ()
        summary = next((one for one in summaries if one.id in told), None)
        shown = [line for line in profile if line]
        anchor = Anchor(
            first_depth=plan.history.first_depth,
            frozen_us=_NEVER_US,
            facts=tuple([line.id for line in shown]),
            shots=tuple(shots),
            summary_id=summary.id if summary else "",
            facts_shown=len(shown),
        )
        materials = self._materials(
            scene,
            shots=[self._shots[id] for id in shots if id in self._shots],
            facts=[line for line in (*profile, *waiting) if line],
            summaries=(summary,) if summary else (),
            frozen_summary=summary,
            turns=known.turns_before(scene.asked, anchor.first_depth),
            recall=lines,
        )
        return materials, anchor, self._rules_then(plan)

    def _as_it_would_be(self, scene: _Scene, shots: Sequence[Shot] | None) -> tuple[Materials, Anchor, WindowRules]:
        """Everything that was known, with a profile that was frozen when the logged one was."""
        plan, known, rules = scene.plan, scene.known, self._rules
        frozen, waiting = facts_shown(plan)
        facts = [fact for id in (*frozen, *waiting) if (fact := known.fact(id))]
        facts.sort(key=importance)
        first_depth = plan.history.first_depth if _room(rules, plan) <= 0 else 0
        summaries = known.summaries(scene.exchange, scene.asked) if self._arm.summarise else ()
        told = {one.id for one in plan.section("summary").candidates} if first_depth else set()
        named = next((one for one in summaries if one.id in told), None)
        chosen = self._arm.shots[: self._arm.shot_limit] if shots is None else shots
        materials = self._materials(
            scene,
            shots=[self._shots[shot_id(shot)] for shot in chosen],
            facts=[known.line_of(fact) for fact in facts],
            summaries=summaries,
            frozen_summary=named,
            turns=known.turns_before(scene.asked, first_depth),
            recall=[
                self._lines.line(memory, one.score)
                for one in hits(plan)
                if (memory := known.memory(scene.memories, one.id))
            ],
        )
        then = set(frozen)
        known_then = [line for line in materials.facts if line.id in then]
        begun = anchor_of(known_then, materials.shots, rules, self.counter, _NEVER_US)
        anchor = replace(begun, first_depth=first_depth, summary_id=named.id if named else "")
        return materials, anchor, rules

    def _materials(
        self,
        scene: _Scene,
        *,
        shots: Sequence[Block],
        facts: Sequence[Line],
        summaries: Sequence[Summary],
        frozen_summary: Summary | None,
        turns: tuple[PastTurn, ...],
        recall: Sequence[Line],
    ) -> Materials:
        said = self._context(scene)
        gathered = scene.plan.section("profile").candidates or scene.plan.section("recall").candidates
        return Materials(
            target=self._target,
            counter=self.counter,
            samples=0,
            instructions=self._instructions,
            tools=scene.tools,
            tools_tokens=self.counter.tools(scene.tools),
            shots=tuple(shots),
            facts=tuple(facts),
            summary=summaries[0] if summaries else None,
            frozen_summary=frozen_summary,
            turns=turns,
            recall=tuple(recall),
            input=scene.asked,
            context=said or (BARE_CONTEXT if gathered else ""),
            running=scene.running,
            now_us=scene.asked.created_us,
            expects_summary=bool(self._arm.summarise),
            answer=scene.answer,
            answer_tokens=self.counter.answer(scene.answer) if scene.answer else 0,
        )

    def _line(self, known: Known, id: str) -> Line | None:
        fact = known.fact(id)
        return known.line_of(fact) if fact else None

    def _rules_then(self, plan: Plan) -> WindowRules:
        """The limit that the counter's calibration gave then; today's where the window's settings changed since."""
        rules, then_rules = self._rules, self._then
        if (then_rules.limit, then_rules.scale) == (plan.limit, plan.scale):
            return then_rules
        if rules.reserve != plan.reserve or _room(rules, plan):
            return rules
        self._then = replace(rules, limit=plan.limit, scale=plan.scale)
        return self._then


def _chose(plan: Plan) -> bool:
    if plan.sections is NO_PLAN.sections:
        return False
    return any([one.candidates for one in plan.sections if one.name in _CHOSEN])


def _included(plan: Plan, name: SectionName) -> list[Candidate]:
    return [one for one in plan.section(name).candidates if one.included]


def _room(rules: WindowRules, plan: Plan) -> float:
    """How many more tokens of the provider's the rules give than the plan had; 0 within what rounding does."""
    more = rules.limit * rules.scale - plan.limit * plan.scale
    return more if abs(more) > rules.scale + plan.scale else 0


def _differences(then: Plan, now: Plan) -> Iterator[str]:
    """What the digests and counts of a plan say against its rendering, in words."""
    for sent, made in zip(then.sections, now.sections, strict=True):
        if sent.digest != made.digest:
            yield f"the section {sent.name} is not as it was sent"
    if then.tools_digest != now.tools_digest:
        yield "the tools or the answer's schema are not those that were declared"
    if (then.history.turns, then.history.tokens) != (now.history.turns, now.history.tokens):
        yield "messages of the history were erased"
    if then.section("input").tokens != now.section("input").tokens:
        yield "the input is not as it was sent: what is stated beside it has changed, or an answer was mended"
