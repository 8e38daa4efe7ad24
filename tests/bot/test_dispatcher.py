"""Doors always get an answer: what is refused, what nobody foresaw, and who is in the place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Invocation, Pressed, Visibility
from bot.dispatcher import Dispatcher
from bot.presence import KNOWN_MAX, Presence
from bot.wording import plain
from economy.books import PRESENT
from economy.refusals import Code, refuse
from economy.rules.presence import Join, Joined, Leave
from economy.rules.tipping import Tip
from economy.service import Answer, Economy, Submission
from economy.settings import Feature, Settings
from economy.values import CommunityId, Identity, MemberId, Place, Role, Sighting
from economy.views import Reader

ROOM = Place("test", "room")
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECRET = "meet me at the pier"


class Clock:
    def now(self) -> datetime:
        return NOW


class Reads:
    """Everybody is a member of one community, present unless said otherwise."""

    def __init__(self, flags: dict[str, Any], settings: Settings) -> None:
        self.flags = flags
        self.settings = settings

    async def reader(self, place: Place, identity: Identity) -> Reader:
        return Reader(CommunityId(1), MemberId(1), self.settings, frozenset(), self.flags, {})

    async def shown(self, community_id: CommunityId, member_ids: object) -> dict[MemberId, Any]:
        return {}

    async def offer_order(self, place: Place, nonce: str) -> None:
        return None


class Journal:
    """Notes what is submitted; answers joins, and for all else what it was told to."""

    def __init__(self, otherwise: Answer | Exception) -> None:
        self.otherwise = otherwise
        self.submitted: list[Submission] = []

    async def submit(self, submission: Submission) -> Answer:
        self.submitted.append(submission)
        if isinstance(submission.order, (Join, Leave)):
            return Answer(Joined(member=MemberId(1)), NOW)
        if isinstance(self.otherwise, Exception):
            raise self.otherwise
        return self.otherwise

    async def drained(self) -> None: ...

    async def move_place(self, old: Place, new: Place) -> bool:
        return False


class Projector:
    async def catch_up(self, community_id: CommunityId, *, wait_s: float) -> None: ...


BUSY = Answer(refuse(Code.BUSY), NOW)


def person(name: str, **more: Any) -> Sighting:
    return Sighting(Identity("test", name), name, **more)


def economy(otherwise: Answer | Exception = BUSY, flags: dict[str, Any] | None = None, **settings: Any) -> Economy:
    reads: Any = Reads({PRESENT: True} if flags is None else flags, Settings(**settings))
    return Economy(Journal(otherwise), reads, Projector(), Clock())


def submitted(of: Economy) -> list[Submission]:
    journal: Any = of._journal
    return journal.submitted  # type: ignore[no-any-return]


def said(command: str, *words: str, who: Sighting | None = None, **more: Any) -> Invocation:
    return Invocation(
        act="test:message:1", person=who or person("ana"), place=ROOM, command=command, words=words, **more
    )


def pressed(data: str) -> Pressed:
    return Pressed(act="test:press:1", person=person("ana"), place=ROOM, data=data)


def first_line(reply) -> str:
    return plain(reply.nodes[0])


# --- what is not there ------------------------------------------------------------------------------------------


async def test_an_unknown_command_names_the_nearest():
    reply = await Dispatcher(economy()).say(said("tipp", "50"))
    assert (reply.command, reply.outcome, reply.code, reply.visibility) == (
        None,
        "refused",
        "unknown_command",
        Visibility.PRIVATE,
    )
    assert first_line(reply) == "There is no such command. Did you mean /tip? /help lists them all."


@pytest.mark.parametrize("command", ["", "zzzzzz", "é" * 5_000, "coins add", "\x00", "TIP\n"])
async def test_any_command_is_answered(command):
    assert (await Dispatcher(economy()).say(said(command))).outcome == "refused"


async def test_a_group_alone_names_its_commands():
    reply = await Dispatcher(economy()).say(said("coins"))
    assert (reply.command, reply.code, reply.fields["choices"]) == ("coins", "invalid_argument", "add,remove,set")


async def test_commands_are_named_in_any_case():
    reply = await Dispatcher(economy()).say(said("COINS", "ADD", "id:bo", "5", "why"))
    assert (reply.command, reply.code) == ("coins", "busy")


async def test_a_feature_that_is_off_is_refused_in_private():
    """Row G6 of what Florin does: off is gone."""
    off = frozenset({Feature.TIPPING})
    reply = await Dispatcher(economy(features_off=off)).say(said("give"))
    assert (reply.command, reply.code, reply.fields, reply.visibility) == (
        "tip",
        "feature_off",
        {"feature": "tipping"},
        Visibility.PRIVATE,
    )


async def test_a_bot_gives_no_commands():
    """Fault 10."""
    of = economy()
    reply = await Dispatcher(of).say(said("daily", who=person("robo", is_bot=True)))
    assert (reply.code, reply.fields) == ("not_allowed", {"rule": "bots"})
    assert submitted(of) == []


async def test_a_role_that_cannot_be_given_is_told_so():
    no = await Dispatcher(economy(BUSY)).appoint(ROOM, person("ana"), Role.OWNER, "test:act:1", frozenset({Role.OWNER}))
    assert no is not None
    assert (no.outcome, no.code, no.visibility) == ("refused", "busy", Visibility.PRIVATE)


async def test_what_goes_wrong_while_somebody_comes_is_told_so():
    of = economy(OSError("the disk is gone"), {PRESENT: True})
    no = await Dispatcher(of).appoint(ROOM, person("ana"), Role.OWNER, "test:act:1", frozenset())
    assert no is not None
    assert (no.outcome, no.code) == ("failed", None)
    assert await Dispatcher(of).came(ROOM, person("ana"), "test:act:2") is None


async def test_a_full_queue_says_so():
    reply = await Dispatcher(economy(BUSY)).say(said("daily"))
    assert (reply.code, first_line(reply)) == (
        "busy",
        "There is a lot going on just now, and nothing was done. Try again in a moment.",
    )


# --- buttons ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        "",
        "o:",
        "q:",
        "q: ",
        "o:none-such-nonce",
        "q:retired command",
        "x:top",
        "top",
        "q:" + "top " * 40,
        "o:" + "é" * 40,
        "\x00",
        "q:\ud800",
    ],
)
async def test_a_button_that_is_malformed_or_from_an_older_release_has_expired(data):
    """Fault 18."""
    of = economy()
    reply = await Dispatcher(of).press(pressed(data))
    assert (reply.outcome, reply.code, reply.visibility) == ("refused", "expired", Visibility.PRIVATE)
    assert submitted(of) == []


@given(st.text(max_size=70))
async def test_any_press_is_answered(data):
    """Fault 18."""
    assert (await Dispatcher(economy()).press(pressed(data))).outcome == "refused"


# --- what nobody foresaw ------------------------------------------------------------------------------------------


async def test_a_surprise_is_told_in_a_sentence_and_logged_without_words():
    """Fault 131."""
    dispatcher = Dispatcher(economy(RuntimeError(f"cannot insert {SECRET!r}")))
    with structlog.testing.capture_logs() as logs:
        reply = await dispatcher.say(said("tip", "50", SECRET, replied_to=person("bo")))
    assert (reply.command, reply.outcome, reply.code, reply.visibility) == ("tip", "failed", None, Visibility.PRIVATE)
    assert first_line(reply).startswith("Something went wrong on our side.")
    failed = next(line for line in logs if line["event"] == "failed")
    assert failed["act"] == "test:message:1"
    assert failed["reference"] == reply.fields["reference"]
    assert failed["reference"] in first_line(reply)
    assert SECRET not in str({name: value for name, value in failed.items() if name != "exc_info"})


# --- who is there -------------------------------------------------------------------------------------------------


def orders(of: Economy) -> list[type]:
    return [type(submission.order) for submission in submitted(of)]


async def test_whoever_speaks_has_joined():
    of = economy(flags={})
    await Dispatcher(of).say(said("tip", "50", replied_to=person("bo")))
    assert orders(of) == [Join, Tip]
    assert [submission.key for submission in submitted(of)] == ["test:message:1:join", "test:message:1"]
    assert [sighting.name for sighting in submitted(of)[1].sightings] == ["ana", "bo"]


async def test_whoever_is_known_to_be_there_joins_no_more():
    of = economy(flags={})
    presence = Presence(of)
    for act in ("a:1", "a:2"):
        await presence.heard(ROOM, person("ana"), act)
    await presence.heard(ROOM, person("bo"), "a:3")
    assert [submission.key for submission in submitted(of)] == ["a:1:join", "a:3:join"]


async def test_a_new_name_is_noticed():
    of = economy()
    presence = Presence(of)
    await presence.heard(ROOM, person("ana"), "a:1")
    assert submitted(of) == []
    await presence.heard(ROOM, msgspec.structs.replace(person("ana"), name="ana of the hill"), "a:2")
    assert [submission.sightings[0].name for submission in submitted(of)] == ["ana of the hill"]


async def test_speaking_to_the_bot_alone_brings_nobody_back_who_left():
    of = economy(flags={PRESENT: False})
    presence = Presence(of)
    await presence.reader(ROOM, person("ana"), "a:1", private=True)
    assert submitted(of) == []
    await presence.reader(ROOM, person("ana"), "a:2")
    assert orders(of) == [Join]


async def test_whom_the_platform_says_to_be_elsewhere_does_not_join():
    of = economy(flags={})
    await Presence(of).heard(ROOM, person("ana", present=False), "a:1")
    assert submitted(of) == []


async def test_leaving_is_told_once_and_forgotten_people_join_again():
    of = economy()
    presence = Presence(of)
    await presence.heard(ROOM, person("ana"), "a:1")
    await presence.went(ROOM, person("ana"), "a:2")
    assert orders(of) == [Leave]
    stranger = economy(flags={})
    await Presence(stranger).went(ROOM, person("ana"), "a:3")
    assert submitted(stranger) == []


async def test_what_is_remembered_is_bounded():
    presence = Presence(economy())
    for number in range(KNOWN_MAX + 5):
        await presence.heard(ROOM, person(str(number)), "a:1")
    assert len(presence._known) == KNOWN_MAX


async def test_an_act_of_any_length_makes_a_key():
    of = economy(flags={})
    await Presence(of).heard(ROOM, person("ana"), "a" * 200)
    assert submitted(of)[0].key.startswith("digest:")
