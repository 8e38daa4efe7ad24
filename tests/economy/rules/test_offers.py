"""Pressing a button: once, by whom it was made for, in time."""

from __future__ import annotations

import pytest

from economy.refusals import Code
from economy.rules.offers import Press
from economy.values import Role
from tests.economy.scene import Scene, asked, person, refused


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.grant("ana", bonus=5_000)
    return scene


def test_only_whom_it_was_made_for_presses_it(scene):
    """Fault 118."""
    question = scene.tip("ana", "bo", amount=1_000)
    refused(scene.press("bo", question), Code.NOT_ALLOWED, rule="presser")
    assert scene.press("ana", question).number


@pytest.mark.parametrize(("seconds", "late"), [(299, False), (300, True), (86_400, True)])
def test_a_button_expires_after_five_minutes(scene, seconds, late):
    question = scene.tip("ana", "bo", amount=1_000)
    scene.later(seconds=seconds)
    answer = scene.press("ana", question)
    if late:
        refused(answer, Code.EXPIRED, rule="late")
    else:
        assert answer.number


def test_two_cards_of_one_offer_work_once(scene):
    """Fault 26: the same nonce under another key, as from another chat."""
    question = scene.tip("ana", "bo", amount=1_000)
    nonce = question.offered[0].nonce
    order = Press(by=person("ana"), nonce=nonce, inner=scene.model.offers[nonce].order)
    assert scene.submit(order, "offer:first").number
    refused(scene.submit(order, "offer:second"), Code.EXPIRED, rule="used")
    assert scene.has("bo") == (0, 1_000, 0)


def test_two_questions_are_two_offers(scene):
    first, second = scene.tip("ana", "bo", amount=1_000), scene.tip("ana", "bo", amount=1_000)
    assert scene.press("ana", first).number
    assert scene.press("ana", second).number
    assert scene.has("bo") == (0, 2_000, 0)


def test_a_button_that_was_refused_or_asked_again_is_not_used_up(scene):
    question = scene.tip("ana", "bo", amount=4_000)
    scene.press("ana", scene.tip("ana", "cy", amount=2_000))
    refused(scene.press("ana", question), Code.INSUFFICIENT_FUNDS)
    assert not scene.model.offers[question.offered[0].nonce].used


def test_an_unknown_offer_has_expired(scene):
    """Fault 18."""
    question = scene.tip("ana", "bo", amount=1_000)
    inner = scene.model.offers[question.offered[0].nonce].order
    refused(scene.submit(Press(by=person("ana"), nonce="nonce-x", inner=inner)), Code.EXPIRED, rule="unknown")


def test_the_entry_of_a_press_is_the_inner_orders(scene):
    answer = scene.press("ana", scene.tip("ana", "bo", amount=1_000))
    assert scene.model.entries[answer.number].kind == "tip"


def test_a_press_sees_what_the_inner_order_needs_and_whom_it_was_offered_to(scene):
    question = scene.tip("ana", "bo", amount=1_000)
    inner = scene.model.offers[question.offered[0].nonce].order
    needs = Press(by=person("ana"), nonce="n", inner=inner).needs()
    assert needs.people == (person("bo"), person("ana"))
    assert needs.offers == ("n",)


def test_who_was_made_to_agree_as_staff_must_still_be_staff(scene):
    """Fault 104. Fault 110."""
    scene.stands("cy", Role.OWNER)
    question = scene.chest("cy", "bo", amount="all")
    refused(question, Code.INSUFFICIENT_FUNDS)
    scene.gift("ana", "bo", "rose", 100)
    question = scene.chest("cy", "bo", amount="all")
    assert asked(question) == ("all",)
    scene.stands("cy")
    refused(scene.press("cy", question), Code.NOT_ALLOWED, rule="spend_chest")
