"""What a script says reaches the conversation, and what is expected is compared with what comes back."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.console.shelf import Shelf
from adapters.contract import Button, File, Invocation, Mention, Visibility
from economy.service import Identity, Place, Role
from economy.values import IdempotencyKey

LOBBY = Place("console", "lobby")
CAFE = Place("console", "cafe")


def told(bot) -> list[tuple]:
    """Kind, place, name and presence of all that the conversation was told."""
    return [(kind, place.native_id, person.name, person.present) for kind, place, person, *_ in bot.told]


# --- what is expected -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["! owner robo", "! join bo", "! leave bo"])
async def test_what_did_not_happen_stops_the_script_and_names_the_line(play, bot, saying, line: str) -> None:
    bot.no = saying("There is a lot", "going on.", code="busy")
    played = await play(f"ana> /tip\n{line}\nana> /tip\n")
    assert (played.status, played.err) == (2, "line 2: There is a lot going on.\n")
    assert len(bot.said) == 1


async def test_a_reply_as_expected_ends_well(play) -> None:
    played = await play("ana> /tip\nbot> ana said tip\n")
    assert (played.status, played.err) == (0, "")
    assert played.out == "ana> /tip\nbot> ana said tip\n"


async def test_a_difference_is_shown_and_the_script_goes_on(play) -> None:
    played = await play("ana> /tip\nbot> ana said nothing\nbo> /tip\nbot> bo said tip\n")
    assert played.status == 1
    assert played.out == (
        "ana> /tip\n"
        "bot> ana said tip\n"
        "--- expected for line 1\n"
        "+++ answered\n"
        "@@ -1 +1 @@\n"
        "-ana said nothing\n"
        "+ana said tip\n"
        "bo> /tip\n"
        "bot> bo said tip\n"
    )


async def test_under_json_differences_are_told_on_the_other_stream(play) -> None:
    played = await play("ana> /tip\nbot> ana said nothing\n", as_json=True)
    assert played.status == 1
    assert [json.loads(line)["text"] for line in played.out.splitlines()] == ["ana said tip"]
    assert "-ana said nothing\n+ana said tip\n" in played.err


async def test_the_whole_reply_is_compared(play, bot, saying) -> None:
    bot.answers["top"] = saying("one", "", "two  ")
    assert (await play("ana> /top\nbot> one\nbot>\nbot> two\n")).status == 0
    assert (await play("ana> /top\nbot> one\nbot>\n")).status == 1
    assert (await play("ana> /top\nbot> one\nbot>\nbot> two\nbot> three\n")).status == 1


async def test_what_is_not_expected_is_not_compared(play) -> None:
    assert (await play("ana> /tip\nana> /tip\nbot> ana said tip\n")).status == 0


async def test_silence_is_no_reply(play) -> None:
    played = await play("ana> hello\nbot> hello\n")
    assert played.status == 1
    assert "+++ answered nothing\n" in played.out
    assert "\nbot> " not in played.out


async def test_a_script_that_cannot_be_read_never_begins(play, bot) -> None:
    played = await play("ana> /tip\nnonsense\x1b[31m\n")
    assert (played.status, played.out, bot.opened) == (2, "", 0)
    assert played.err.startswith("line 2: this is none of")
    assert played.err.count("\n") == 1


# --- what the conversation hears ------------------------------------------------------------------------------------


async def test_a_command_becomes_an_invocation(play, bot) -> None:
    await play("Ana> /tip @Bo 50\n")
    (said,) = bot.said
    assert said == Invocation(
        act=said.act,
        person=said.person,
        place=LOBBY,
        command="tip",
        words=(said.words[0], "50"),
        private=False,
        place_name="lobby",
    )
    assert said.person.identity == Identity("console", "ana")
    assert (said.person.name, said.person.present) == ("Ana", True)
    assert isinstance(said.words[0], Mention)
    assert said.standing == frozenset()


async def test_what_is_no_command_is_heard_and_not_answered(play, bot) -> None:
    played = await play("ana> hello\n")
    assert told(bot) == [("heard", "lobby", "ana", True)]
    assert played.out == "ana> hello\n"


async def test_what_is_no_command_in_private_is_answered_with_a_hint(play, bot) -> None:
    played = await play("ana (private)> hello\n", as_json=True)
    answer = json.loads(played.out)
    assert (answer["command"], answer["outcome"], answer["visibility"]) == (None, "hint", "private")
    assert "/help" in answer["text"]
    assert told(bot) == [("heard", "lobby", "ana", True)]


async def test_private_words_are_about_the_place_last_spoken_in(play, bot) -> None:
    await play("ana> hi\n! place cafe\nbo> hi\nana (private)> /balance\nbo (private)> /balance\nana> hi\n")
    assert [(said.place, said.private) for said in bot.said] == [(LOBBY, True), (CAFE, True)]
    assert told(bot)[-1] == ("heard", "cafe", "ana", True)


async def test_private_words_are_about_the_place_last_named_in(play, bot) -> None:
    await play("ana> hi\n! place cafe\n! join ana\n! place bar\nana (private)> /balance\nnew (private)> /balance\n")
    assert [said.place.native_id for said in bot.said] == ["cafe", "bar"]


async def test_an_owner_is_the_operator_too(play, bot) -> None:
    await play("! owner ana\n! treasurer bo\n")
    assert [entry[0] for entry in bot.told] == ["came", "appoint", "appoint", "came", "appoint"]
    appointed = [(entry[2].name, entry[4], entry[5]) for entry in bot.told if entry[0] == "appoint"]
    vouched = frozenset({Role.OWNER, Role.OPERATOR})
    assert appointed == [("ana", Role.OWNER, vouched), ("ana", Role.OPERATOR, vouched), ("bo", Role.TREASURER, vouched)]


async def test_people_come_and_go(play, bot) -> None:
    await play("! join bo\n! leave bo\n! bot dice\n")
    assert told(bot) == [
        ("came", "lobby", "bo", True),
        ("went", "lobby", "bo", False),
        ("came", "lobby", "dice", True),
    ]
    assert [entry[2].is_bot for entry in bot.told] == [False, False, True]


async def test_who_left_and_writes_in_private_has_not_come_back(play, bot) -> None:
    await play("! leave bo\nbo (private)> hello\nbo (private)> /balance\n")
    assert told(bot) == [("went", "lobby", "bo", False)]
    assert bot.said[0].person.present is False


async def test_every_act_has_a_name_of_its_own(play, bot) -> None:
    """Fault 68."""
    script = "! owner ana\nana> hi\nana> hi\nana> /tip\nana> /tip\n! place tea & cake ☕\nana> /tip\n! join bo\n"
    await play(script, run_id="first")
    await play(script, run_id="second")
    acts = [entry[3] for entry in bot.told] + [said.act for said in bot.said]
    assert len(acts) == len(set(acts)) == 18
    assert all(IdempotencyKey(f"{act}:join") for act in acts)
    assert bot.said[0].act == "console:message:first:lobby:6"


async def test_a_long_place_still_gives_a_key(play, bot) -> None:
    await play(f"! place {'☕' * 300}a\nana> /tip\n! place {'☕' * 300}b\nana> /tip\n")
    assert all(IdempotencyKey(f"{said.act}:join") for said in bot.said)
    first, second = (said.act.split(":")[3] for said in bot.said)
    assert first != second


async def test_the_script_moves_the_clock(play, clock) -> None:
    noon = clock.now()
    await play("! clock +1h30m\n")
    assert clock.now() == noon + timedelta(minutes=90)
    await play("! clock 2026-03-01T00:00Z\n! clock +2d\n")
    assert clock.now().isoformat() == "2026-03-03T00:00:00+00:00"


async def test_the_clock_has_an_end(play) -> None:
    played = await play("ana> /tip\n! clock +999999w\n")
    assert played.status == 2
    assert played.err.startswith("line 2: the clock cannot")


async def test_a_restart_closes_everything_and_opens_it_again(play, bot) -> None:
    await play("ana> /tip\n! restart\nana> /tip\n")
    assert (bot.opened, bot.is_open, len(bot.said)) == (2, False, 2)


# --- once more ------------------------------------------------------------------------------------------------------


async def test_again_delivers_the_same_message(play, bot) -> None:
    """Fault 68."""
    played = await play("ana> /tip\n! again 2\nbot> ana said tip\n! again\n", as_json=True)
    assert played.status == 0
    assert len({said.act for said in bot.said}) == 1
    assert [json.loads(line)["line"] for line in played.out.splitlines()] == [1, 2, 2, 4]


async def test_again_repeats_words_and_presses_as_well(play, bot, asking) -> None:
    bot.answers["ask"] = asking
    await play('ana> hi\n! again\nana> /ask\n! press "confirm" as ana\n! again 4\n')
    assert len({entry[3] for entry in bot.told}) == 1
    assert len(bot.pressed) == 5
    assert len({pressed.act for pressed in bot.pressed}) == 1


async def test_together_is_at_the_same_moment(play, bot, saying) -> None:
    """Fault 23."""
    everyone = asyncio.Barrier(4)

    bot.before_answering = everyone.wait
    played = await play("! together\nana> /a\nbot> ana said a\nbo> /b\n# twice\n! again 2\n! end\n")
    assert played.status == 0
    assert played.out == (
        "! together\nana> /a\nbot> ana said a\nbo> /b\nbot> bo said b\n# twice\n"
        "! again 2\nbot> bo said b\nbot> bo said b\n! end\n"
    )
    assert [said.act for said in bot.said].count(bot.said[1].act) >= 1
    assert len({said.act for said in bot.said}) == 2


# --- buttons --------------------------------------------------------------------------------------------------------


async def test_a_button_is_pressed_by_its_label(play, bot, asking) -> None:
    bot.answers["ask"] = asking
    played = await play('ana> /ask\nbot> Sure?\n! press "CONFIRM" as Ana\nbot> ana pressed o:nonce\n')
    assert (played.status, played.err) == (0, "")
    assert played.out == ('ana> /ask\nbot> Sure?\n# [Confirm]\n! press "CONFIRM" as Ana\nbot> ana pressed o:nonce\n')
    (pressed,) = bot.pressed
    assert (pressed.place, pressed.private, pressed.person.present) == (LOBBY, True, True)


@pytest.mark.parametrize(("label", "name"), [("Confirm", "bo"), ("Cancel", "ana")])
async def test_nobody_presses_what_they_do_not_see(label: str, name: str, play, bot, asking) -> None:
    """Fault 118."""
    bot.answers["ask"] = asking
    played = await play(f'ana> /ask\n! press "{label}" as {name}\nana> /tip\n')
    assert played.status == 2
    assert played.err == f'line 2: {name} sees no button "{label}".\n'
    assert (bot.pressed, len(bot.said)) == ([], 1)


async def test_a_public_button_may_be_kept_for_one(play, bot, saying) -> None:
    mine = Button(label="Thank", data="q:thank", presser=Identity("console", "bo"))
    bot.answers["tip"] = saying("ana tipped bo", buttons=(mine, Button(label="Next", data="q:top 2")))
    played = await play('ana> /tip\n! press "Thank" as bo\n! press "Next" as cy\n! press "Thank" as cy\n')
    assert [(pressed.data, pressed.private) for pressed in bot.pressed] == [("q:thank", False), ("q:top 2", False)]
    assert played.status == 2


async def test_the_latest_reply_with_that_button_counts(play, bot, saying) -> None:
    for name, page in {"one": "q:1", "two": "q:2"}.items():
        bot.answers[name] = saying(name, buttons=(Button(label="Next", data=page),))
    await play('ana> /one\nana> /two\nana> /tip\n! press "Next" as bo\n')
    assert [pressed.data for pressed in bot.pressed] == ["q:2"]


async def test_who_is_elsewhere_sees_nothing_here(play, bot, saying) -> None:
    bot.answers["one"] = saying("one", buttons=(Button(label="Next", data="q:1"),))
    script = '! join bo\nana> /one\n! place cafe\n! press "Next" as {}\n'
    assert (await play(script.format("bo"))).status == 0
    assert (await play(script.format("cy"))).status == 2


# --- what is shown --------------------------------------------------------------------------------------------------


async def test_a_reply_in_json_names_who_where_and_what(play) -> None:
    played = await play("Ana> /tip\nana (private)> /tip\n", as_json=True)
    public, private = (json.loads(line) for line in played.out.splitlines())
    assert (public["line"], public["person"], public["place"], public["text"]) == (1, "Ana", "lobby", "Ana said tip")
    assert (private["line"], private["person"], private["place"]) == (2, "Ana", None)


async def test_files_are_kept_on_the_shelf(play, bot, tmp_path: Path, saying) -> None:
    bot.answers["history"] = saying(nodes=(File("history.csv", b"x" * 1200),))
    played = await play("ana> /history\nbot> [file history.csv]\n", shelf=Shelf(tmp_path / "out"))
    path = tmp_path / "out" / "history.csv"
    assert played.status == 0
    assert played.out.endswith(f"bot> [file history.csv]\n# history.csv (1.2 kB) is saved as {path}\n")
    assert path.read_bytes() == b"x" * 1200


async def test_a_missing_file_is_refused_by_the_console(play, bot) -> None:
    played = await play("ana> /coins add file:none.csv prizes\n", as_json=True)
    answer = json.loads(played.out)
    assert (answer["command"], answer["outcome"], answer["code"]) == ("coins", "refused", "invalid_argument")
    assert answer["visibility"] == "private"
    assert bot.said == []


async def test_hostile_lines_reach_the_screen_inert(play) -> None:
    """Faults 12, 14 and 130."""
    played = await play("\x1b[31m@everyone\u202e\x07> /tip\n# \x9b2J\n")
    assert not set(played.out) & set("\x1b\x07\x9b\u202e")


async def test_what_was_shown_is_a_script_again(play, bot, asking) -> None:
    bot.answers["ask"] = asking
    shown = await play('! owner ana\nana> /ask\n! press "Confirm" as ana\n\n# end\n! together\nbo> /tip\n! end\n')
    again = await play(shown.out)
    assert again.status == 0
    assert again.out.replace("# [Confirm]\n", "") == shown.out.replace("# [Confirm]\n", "")


async def test_visibility_decides_who_sees_a_reply_said_in_public(play, bot, saying) -> None:
    button = Button(label="Next", data="q:history 2")
    bot.answers["history"] = saying("yours", visibility=Visibility.PRIVATE, buttons=(button,))
    played = await play('ana> /history\n! press "Next" as bo\n')
    assert played.status == 2
