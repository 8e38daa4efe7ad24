"""How a line becomes a command and its words."""

from pathlib import Path

import pytest

from adapters.console.words import AttachmentProblem, cut, spoken
from adapters.console.world import World, native_id
from adapters.contract import ATTACHMENT_BYTES_MAX, Attachment, Mention, RoleMention
from economy.service import Identity, Role


@pytest.fixture
def world() -> World:
    world = World()
    world.arrive("Bo")
    return world


def words_of(text: str, world: World, bot, folder: Path = Path()):
    return spoken(text, world, specs=bot.specs(), folders=(folder,))


def test_a_command_is_cut_at_ascii_white_space_alone(world: World, bot) -> None:
    assert words_of("/tip 1\t 2\x0b3\u00a04", world, bot) == ("tip", ("1", "2", "3\u00a04"))
    assert cut("  a \r\n b ") == ["a", "b"]


@pytest.mark.parametrize("text", ["/", "/ tip @bo"])
def test_a_slash_alone_names_no_command(text: str, world: World, bot) -> None:
    assert words_of(text, world, bot)[0] == ""


def test_a_mention_is_a_person_by_any_case_of_their_name(world: World, bot) -> None:
    _, (mention,) = words_of("/tip @bO", world, bot)
    assert isinstance(mention, Mention)
    assert mention.person.identity == Identity("console", "bo")
    assert mention.person.name == "Bo"
    assert mention.person.present is None


def test_whether_a_stranger_ever_joined_is_for_the_store_to_say(world: World, bot) -> None:
    _, (mention,) = words_of("/tip @Zed", world, bot)
    assert isinstance(mention, Mention)
    assert (mention.person.identity.native_id, mention.person.name, mention.person.present) == ("zed", "Zed", None)


def test_a_mentioned_bot_is_known_as_one(world: World, bot) -> None:
    world.arrive("dice").is_bot = True
    _, (mention,) = words_of("/tip @dice", world, bot)
    assert isinstance(mention, Mention)
    assert mention.person.is_bot


def test_roles_are_mentioned_also_where_a_person_has_that_name(world: World, bot) -> None:
    _, words = words_of("/tip @treasurers @Moderators @auditors @creators", world, bot)
    assert words == tuple(map(RoleMention, (Role.TREASURER, Role.MODERATOR, Role.AUDITOR, Role.CREATOR)))
    world.arrive("creators")
    assert words_of("/tip @creators", world, bot)[1] == (RoleMention(Role.CREATOR),)


def test_an_at_sign_alone_is_a_word(world: World, bot) -> None:
    assert words_of("/tip @ 5", world, bot) == ("tip", ("@", "5"))


def test_a_file_is_attached_where_the_command_takes_files(world: World, bot, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"bo,5\n")
    text = "/coins add file:rows.csv prizes"
    assert words_of(text, world, bot, tmp_path) == (
        "coins",
        ("add", Attachment("rows.csv", b"bo,5\n", native_id), "prizes"),
    )
    assert words_of("/tip file:rows.csv", world, bot, tmp_path) == ("tip", ("file:rows.csv",))


def test_a_file_is_looked_for_in_each_folder(world: World, bot, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "rows.csv").write_bytes(b"x")
    folders = (tmp_path / "a", tmp_path / "b")
    _, (_, found) = spoken("/coins add file:rows.csv", world, specs=bot.specs(), folders=folders)
    assert found == Attachment("rows.csv", b"x", native_id)


def test_a_missing_unreadable_or_large_file_is_refused(world: World, bot, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "large").write_bytes(bytes(ATTACHMENT_BYTES_MAX + 1))
    for name, why in {
        "none.csv": "There is no file none.csv.",
        "folder": "The file folder cannot be read.",
        "nul\x00": "The file nul\x00 cannot be read.",
        "large": "The file large is too large: send at most 1,000,000 bytes.",
    }.items():
        with pytest.raises(AttachmentProblem) as refused:
            words_of(f"/coins add file:{name}", world, bot, tmp_path)
        assert str(refused.value) == why


def test_a_file_of_exactly_the_limit_is_sent(world: World, bot, tmp_path: Path) -> None:
    (tmp_path / "full").write_bytes(bytes(ATTACHMENT_BYTES_MAX))
    _, (_, found) = words_of("/coins add file:full", world, bot, tmp_path)
    assert isinstance(found, Attachment)
    assert len(found.content) == ATTACHMENT_BYTES_MAX


def test_a_member_set_by_name_is_a_mention(world: World, bot) -> None:
    assert isinstance(words_of("/audit actor:@bo", world, bot)[1][1], Mention)
    assert words_of("/audit actor:@bo kind:@bo", world, bot)[1][0::2] == ("actor:", "kind:@bo")
    assert words_of("/tip actor:@bo", world, bot) == ("tip", ("actor:@bo",))
