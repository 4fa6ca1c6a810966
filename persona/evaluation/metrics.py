"""What is measured of an example: one table of metrics, and the values that both arms get. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import nan

from persona.evaluation import judge
from persona.evaluation.answer import Answer
from persona.evaluation.form import Form, leaked
from persona.evaluation.replay import Played
from persona.evaluation.text import chrf, exact, fuzzy, rouge_l
from persona.values.comparison import Better


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `span` is the most by which two values may differ, None without a bound; `passes` says that an
    example passes it or does not.
    """

    about: str
    better: Better
    span: float | None = 1.0
    passes: bool = False


METRICS: Mapping[str, Metric] = {
    "judge": Metric("which answer the judge finds better, in both orders", "higher"),
    "format": Metric("the answer has the wanted form", "higher", passes=True),
    "chrf": Metric("character n-grams shared with the reference (chrF2)", "higher"),
    "rouge_l": Metric("words shared with the reference, in order (ROUGE-L)", "higher"),
    "similarity": Metric("cosine of the embeddings of answer and reference", "higher"),
    "fuzzy": Metric("characters that need no change to give the reference", "higher"),
    "exact": Metric("the answer is the reference", "higher", passes=True),
    "answered": Metric("there is an answer", "higher", passes=True),
    "refused": Metric("the model refused", "lower", passes=True),
    "placeholders": Metric("the answer shows a placeholder such as [email_1]", "lower", passes=True),
    "length": Metric("characters of the answer", "", None),
    "latency_ms": Metric("milliseconds until the answer was whole", "lower", None),
    "cost_usd": Metric("US dollars for the answer", "lower", None),
}
_OF_TEXT = {"chrf": chrf, "rouge_l": rouge_l, "fuzzy": fuzzy, "exact": exact}


def comparable(played: Played) -> bool:
    """Whether both arms were asked, and neither failed in a way that may pass: such a failure says nothing of it."""
    return played.answers is not None and not any(one.again for one in played.answers)


def values_of(
    played: Played, form: Form | None, similar: tuple[float, float] | None, *, judging: bool
) -> dict[str, tuple[float, float]]:
    """What the base and the other arm get; a metric that was not measured is left out, a value that is unknown NaN.

    Without a `form` that is asked for, the one that the logged reply was held to counts. An arm that gave no answer
    gets 0 for every likeness to the reference: not answering is no way to be better.
    """
    assert played.answers is not None, "only comparable examples are measured"  # noqa: S101 - narrows the type
    scene, answers = played.scene, played.answers
    found: dict[str, tuple[float, float]] = {}
    if scene.reference:
        for name, likeness in _OF_TEXT.items():
            found[name] = _both(answers, lambda one, like=likeness: like(one.text, scene.reference))  # type: ignore[misc]
        if similar is not None:
            found["similarity"] = _either(answers, similar)
    if (wanted := form or scene.form) is not None:
        found["format"] = _both(answers, lambda one: float(wanted(one.text)))
    if played.verdicts is not None:
        judged = judge.scores(*(judge.winner(one.text) for one in played.verdicts))
        found |= {"judge": judged} if judged else {}
    elif judging and answers[0].text == answers[1].text and not answers[0].error and not answers[1].error:
        found["judge"] = (0.5, 0.5)  # the same words: nobody needs to be asked
    for name, of in _OF_ANSWER.items():
        found[name] = (of(answers[0]), of(answers[1]))
    found["placeholders"] = _both(answers, lambda one: float(leaked(one.text, scene.asked)))
    return found


def _both(answers: tuple[Answer, Answer], score: Callable[[Answer], float]) -> tuple[float, float]:
    return _either(answers, (score(answers[0]), score(answers[1])))


def _either(answers: tuple[Answer, Answer], scores: tuple[float, float]) -> tuple[float, float]:
    """The scores, but 0 for an arm that gave no answer."""
    base, other = (0.0 if one.error else score for one, score in zip(answers, scores, strict=True))
    return base, other


def _known(answer: Answer, value: float | None) -> float:
    return nan if answer.error or value is None else value


_OF_ANSWER: Mapping[str, Callable[[Answer], float]] = {
    "answered": lambda one: float(not one.error),
    "refused": lambda one: float(one.refused),
    "length": lambda one: _known(one, float(len(one.text))),
    "latency_ms": lambda one: _known(one, one.latency_ms),
    "cost_usd": lambda one: _known(one, None if one.cost is None else float(one.cost)),
}
