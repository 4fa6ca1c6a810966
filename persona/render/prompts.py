"""The fixed part of a prompt, counted once per counter: instructions, and few-shot demonstrations."""

from persona.adapter import Embedder
from persona.memory.embedding import embed
from persona.routing.routes import Arm, Shot
from persona.values.message import say
from persona.window.counting import Counter
from persona.window.materials import Block, block, digest


class Prompts:
    """Counts instructions and shots, and chooses shots: all of a route's, or those nearest to the first message."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._shots: dict[tuple[Shot, str], Block] = {}
        self._instructions: dict[tuple[str, str, str], Block] = {}

    def instructions(self, arm: Arm, counter: Counter) -> Block:
        """The arm's system prompts as one counted block."""
        key = (arm.route, arm.name, counter.name)
        if key not in self._instructions:
            self._instructions[key] = block("instructions", arm.instructions, counter)
        return self._instructions[key]

    async def choose_shots(self, arm: Arm, text: str) -> tuple[Shot, ...]:
        """The shots of a conversation that starts with this text."""
        if not arm.similar_shots or len(arm.shots) <= arm.shot_limit:
            return arm.shots[: arm.shot_limit]
        vectors = await embed(self._embedder, [text, *(shot.user for shot in arm.shots)])
        likeness = vectors[1:] @ vectors[0]
        order = sorted(range(len(arm.shots)), key=lambda i: (-float(likeness[i]), i))[: arm.shot_limit]
        return tuple(arm.shots[i] for i in sorted(order))

    def frozen_shots(self, arm: Arm, ids: tuple[str, ...]) -> tuple[Shot, ...]:
        """The shots that were frozen with a conversation, as far as the settings still have them."""
        return tuple(shot for shot in arm.shots if shot_id(shot) in ids)

    def shots(self, shots: tuple[Shot, ...], counter: Counter) -> tuple[Block, ...]:
        """The shots as counted blocks."""
        return tuple(self._counted(shot, counter) for shot in shots)

    def _counted(self, shot: Shot, counter: Counter) -> Block:
        key = (shot, counter.name)
        if key not in self._shots:
            self._shots[key] = shot_block(shot, counter)
        return self._shots[key]


def shot_block(shot: Shot, counter: Counter) -> Block:
    """One demonstration, counted."""
    return block(shot_id(shot), (say("user", shot.user), say("assistant", shot.assistant)), counter)


def shot_id(shot: Shot) -> str:
    """The id of a shot: it changes with its words."""
    return "shot_" + digest(f"{shot.user}\x1f{shot.assistant}")
