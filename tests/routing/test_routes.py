"""Routes: who is on which arm, and what becomes of those whose arm is gone."""

import pytest

from persona.errors import NotFound
from persona.routing.routes import Routes
from persona.settings.schema import Settings
from persona.values.owner import Owner

TARGET = {"target": "embedded:extractive-1"}
ADA = Owner("", "ada")


def routes(**support: object) -> Routes:
    arms = {"base": TARGET, "tuned": TARGET, "v2": TARGET}
    return Routes(Settings.model_validate({"routes": {"support": {"arms": arms, **support}}}))


def test_an_arm_that_is_asked_for_is_given_whatever_the_shares_say() -> None:
    served = routes(serve="base")
    assert served.assign("support", ADA) == "base"
    assert served.assign("support", ADA, "v2") == "v2"
    with pytest.raises(NotFound, match="has no arm 'v3'; it has base, tuned, v2"):
        served.assign("support", ADA, "v3")


def test_a_conversation_whose_arm_is_gone_goes_on_with_the_one_that_serves_most() -> None:
    served = routes(serve={"base": 0.2, "tuned": 0.8})
    assert served.arm("support", "gone").name == "tuned"
    assert served.arm("support", "v2").name == "v2"
    with pytest.raises(NotFound, match="no longer in the settings"):
        served.arm("sales", "base")


def test_a_route_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(NotFound, match="no route named 'sales'; the settings have support"):
        routes().assign("sales", ADA)
