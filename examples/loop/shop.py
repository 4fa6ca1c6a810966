"""What is asked in a shop on the quay, and answered: in words, and in the form that its app wants."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

INSTRUCTIONS = "You answer for the shop on the quay."
OPENINGS = """My train leaves soon
We are four and a dog
It rains again today
I am new in this town
My aunt is coming to dinner
The children are hungry
I lost my shopping list
We sail before the tide turns
My bicycle is outside
I only have coins left
There is a queue behind me
My neighbour sent me
We are painting the kitchen
I am cooking for a wedding
The ferry was late
My hands are full
Somebody told me yesterday
I am on a diet
We have guests from abroad
The lift is out of order
My glasses are at home
I work nights this month
Our boat needs repairs
The museum was closed""".splitlines()
_HOURS = ("seven", "eight", "nine", "ten")
_PLACES = ("bakery", "fish counter", "cellar", "tea room", "boat yard", "cheese stall", "post desk", "flower stand")
_AISLES = ("by the door", "behind the till", "on the left", "upstairs")
_PRICES = ("two euros", "three euros", "five euros", "six euros")
_GOODS = ("honey", "rope", "soap", "lamp oil", "mustard", "chalk", "candles", "dried figs")
_ASKED = {
    "hours": ("when does the {} open", "tell me what time the {} opens", "from which hour on is the {} open"),
    "price": ("how much is the {}", "what does the {} cost", "what do I pay for the {}"),
    "place": ("where do I find the {}", "which way to the {}", "where have you put the {}"),
}
_ANSWERED = {
    "hours": {place: f"It opens at {_HOURS[n % 4]}." for n, place in enumerate(_PLACES)},
    "price": {good: f"That is {_PRICES[n % 4]}." for n, good in enumerate(_GOODS)},
    "place": {good: f"You find it {_AISLES[n // 2]}." for n, good in enumerate(_GOODS)},
}
SCHEMA = {
    "type": "object",
    "properties": {"topic": {"enum": list(_ASKED)}, "answer": {"type": "string", "minLength": 1}},
    "required": ["topic", "answer"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, what is answered, and on which topic."""

    text: str
    topic: str
    answer: str

    @property
    def form(self) -> str:
        """The answer as the shop's app wants it; nobody tells the model so, only corrections show it."""
        return json.dumps({"topic": self.topic, "answer": self.answer})


def questions(seed: int) -> Iterator[Asked]:
    """All 1,728 questions, in an order of their own for each seed."""
    every = [
        Asked(f"{opening}, {ask.format(thing)}?", topic, answer)
        for opening in OPENINGS
        for topic, asks in _ASKED.items()
        for ask in asks
        for thing, answer in _ANSWERED[topic].items()
    ]
    random.Random(seed).shuffle(every)  # noqa: S311  for variety, not for secrets
    yield from every
