"""Who may do what on Discord: judged from what Discord says with the act itself, and from nothing older."""

from __future__ import annotations

from contextlib import AsyncExitStack

from adapters.contract import Group
from adapters.discord.hearing import group_of
from bot.app import open_florin
from tests.adapters.discord.opening import opened_door
from tests.adapters.discord.overheard import Overheard
from tests.adapters.discord.peer import Peer
from tests.adapters.discord.people import Person
from tests.adapters.discord.state import ADMINISTRATOR


async def made(town, name: str, permissions: int = 0):
    role = town.guild.role(name, permissions)
    data = {"guild_id": str(town.guild.id), "role": role.payload()}
    await town.peer.gateway.tell("GUILD_ROLE_CREATE", data, town.guild.id)
    return role


def member(town, name: str):
    return town.guild.members[town.user(name).id]


async def test_the_servers_owner_is_owner_until_it_is_somebody_elses(town) -> None:
    """Fault 107"""
    assert (await town.person("ana").use("settings", name="undo_window", value="30")).text.startswith(
        "undo_window is now"
    )
    town.guild.owner = town.user("cy")
    await town.peer.gateway.tell("GUILD_UPDATE", town.guild.payload(town.peer.bot), town.guild.id)
    no = await town.person("ana").use("settings", name="undo_window", value="40")
    assert no.text == "Only owners may do this. Ask one of them."
    assert (await town.person("cy").use("settings", name="undo_window", value="40")).text.startswith(
        "undo_window is now"
    )


async def test_an_administrator_of_the_server_moderates_and_mints_nothing(town) -> None:
    """Fault 108"""
    member(town, "cy").roles.add((await made(town, "Admin", ADMINISTRATOR)).id)
    cy = town.person("cy")
    assert (await cy.use("freeze", member=town.user("bo"), reason="a raid")).text.startswith("bo can no longer")
    for command, options in (
        ("coins add", {"who": cy.user, "amount": 5, "reason": "me"}),
        ("settings", {"name": "undo_window", "value": "5"}),
        ("roles give", {"member": cy.user, "role": "owner"}),
    ):
        assert (await cy.use(command, **options)).text.startswith("Only")


async def test_whoever_lost_the_role_a_moment_ago_is_refused(town) -> None:
    """Fault 104"""
    mods = await made(town, "Mods")
    mapped = await town.person("ana").use("roles map", group=mods, role="moderator")
    assert mapped.text == "Whoever holds Mods is moderator here."
    member(town, "cy").roles.add(mods.id)
    cy = town.person("cy")
    assert (await cy.use("coins add", who=town.user("bo"), amount=5, reason="quiz")).text.startswith("bo got 5 coins")
    member(town, "cy").roles.clear()
    assert (await cy.use("coins add", who=town.user("bo"), amount=5, reason="quiz")).text.startswith("Only")


async def test_a_role_that_was_deleted_stands_for_nothing(town) -> None:
    """Fault 104"""
    mods = await made(town, "Mods")
    await town.person("ana").use("roles map", group=mods, role="moderator")
    member(town, "cy").roles.add(mods.id)
    data = {"guild_id": str(town.guild.id), "role_id": str(mods.id)}
    await town.peer.gateway.tell("GUILD_ROLE_DELETE", data, town.guild.id)
    member(town, "cy").roles.clear()
    assert (await town.person("cy").use("audit")).text.startswith("Only")


async def test_a_role_in_one_server_is_none_in_another(town) -> None:
    """Fault 105: of the same name, and by the same id should it ever be used twice."""
    mods = await made(town, "Mods")
    await town.person("ana").use("roles map", group=mods, role="owner")
    dan = town.peer.user("dan")
    other = town.peer.guild("other", dan)
    cy = town.user("cy")
    other.join(cy)
    other.roles[mods.id] = mods
    other.members[cy.id].roles.add(mods.id)
    await town.peer.gateway.tell("GUILD_CREATE", other.payload(town.peer.bot), other.id)
    no = await Person(town.peer, cy, other).use("settings", name="undo_window", value="5")
    assert no.text == "Only owners may do this. Ask one of them."


async def test_a_button_is_judged_by_who_presses_it_now(town) -> None:
    """Fault 104: staff's question is asked while they are staff, and pressed when they are not."""
    mods = await made(town, "Mods")
    await town.person("ana").use("roles map", group=mods, role="moderator")
    member(town, "cy").roles.add(mods.id)
    cy = town.person("cy")
    for name in ("bo", "mo"):
        await town.person(name).use("balance")
    rows = f"{town.user('bo').id},5\n{town.user('mo').id},5\n".encode()
    asked = await cy.use("coins add", file=town.peer.attachment("prizes.csv", rows), reason="prizes")
    assert asked.labels == ["Confirm"]
    member(town, "cy").roles.clear()
    assert (await cy.press(asked, "Confirm")).text.startswith("Only")
    assert (await town.person("bo").use("balance")).lines[0] == "You have 100 coins."


async def test_who_runs_the_bot_is_operator_and_no_owner(enter, peer: Peer) -> None:
    """Fault 108"""
    async with enter() as town:
        town.guild.join(peer.runner_user)
        runner = Person(peer, peer.runner_user, town.guild)
        bought = await runner.use("coins add", who=town.user("bo"), amount=5, which="bought", reason="paid by card")
        assert bought.text == "bo got 5 coins (bought) and has 5 bought coins now."
        assert (await runner.use("settings", name="undo_window", value="5")).text.startswith("Only owners")
        no = await town.person("ana").use("coins add", who=town.user("bo"), amount=5, which="bought", reason="no")
        assert no.text.startswith("Only operators")


async def test_of_a_team_the_owner_and_administrators_are_operators_and_nobody_else(enter, peer: Peer) -> None:
    """Fault 108"""
    peer.team = [peer.user(name) for name in ("owner", "admin", "developer", "reader", "invited")]
    async with enter() as town:
        told = []
        for user in peer.team:
            town.guild.join(user)
            seen = await Person(peer, user, town.guild).use(
                "coins add", who=town.user("bo"), amount=5, which="bought", reason="paid by card"
            )
            told.append(seen.text.startswith("bo got 5 coins (bought)"))
        assert told == [True, True, False, False, False]


# --- who is there -----------------------------------------------------------------------------------------------


async def test_a_member_who_never_spoke_can_be_tipped_and_somebody_elsewhere_cannot(town) -> None:
    """Fault 10"""
    new = town.peer.user("new here")
    town.guild.join(new)
    assert (await town.person("bo").use("tip", to=new, amount="5")).text == "bo tipped new here 5 coins."
    elsewhere = town.peer.user("elsewhere")
    no = await town.person("bo").use("tip", to=elsewhere, amount="5")
    assert no.text.startswith("I do not know elsewhere here.")
    robot = town.peer.user("robot", is_bot=True)
    town.guild.join(robot)
    assert (await town.person("bo").use("tip", to=robot, amount="5")).text.startswith("robot is a bot")


async def test_names_are_those_of_the_server_as_they_are_now(town) -> None:
    member(town, "cy").nick = "Cyrus *the* Great"
    seen = await town.person("bo").use("tip", to=town.user("cy"), amount="5")
    assert seen.text == "bo tipped Cyrus *the* Great 5 coins."
    member(town, "bo").nick = "Bob"
    await town.person("bo").use("balance")
    assert "1  Bob" in (await town.person("cy").use("top", board="tippers")).text


async def test_with_the_members_intent_comers_and_leavers_are_known_at_once(enter, peer: Peer) -> None:
    """Fault 82"""
    async with enter(members_intent=True) as town:
        await town.door.close()
        overheard = Overheard(town.florin.conversation)
        async with opened_door(peer, overheard, members_intent=True):
            dan = peer.user("dan")
            await peer.comes(town.guild, dan)
            await overheard.until(lambda: [person.name for person in overheard.came_in] == ["dan"])
            await town.person("bo").use("tip", to=dan, amount="5")
            await peer.goes(town.guild, dan)
            await overheard.until(lambda: [person.name for person in overheard.went_out] == ["dan"])
            no = await town.person("bo").use("tip", to=dan, amount="5")
            assert no.text == "dan is not here any more. They can receive again once they are back."


async def test_without_it_a_leaver_is_known_when_discord_next_says_so(town) -> None:
    """Fault 82: at the very tip to them."""
    await town.person("cy").use("balance")
    asked = await town.person("bo").use("tip", to=town.user("cy"), amount="all")
    del town.guild.members[town.user("cy").id]
    assert asked.labels == ["Confirm"]
    no = await town.person("bo").use("tip", to=town.user("cy"), amount="5")
    assert no.text.startswith(("I do not know cy here", "cy is not here any more"))


# --- a role as receiver -----------------------------------------------------------------------------------------


async def test_a_role_as_receiver_means_those_who_hold_it_now(enter, peer: Peer) -> None:
    async with enter(members_intent=True) as town:
        artists = await made(town, "artists")
        for name in ("mo", "cy"):
            member(town, name).roles.add(artists.id)
        asked = await town.person("ana").use("roles give", member=town.user("bo"), role="treasurer")
        assert asked.text.startswith("bo has a new role")
        asked = await town.person("bo").use("tip", to=artists, amount="10")
        assert asked.lines[0] == "Tip mo and cy 10 coins each?"
        assert (await town.person("bo").press(asked, "Confirm")).text == "bo tipped mo and cy 10 coins each."
        no = await town.person("cy").use("tip", to=artists, amount="1")
        assert no.text.startswith("Only owners or treasurers")
        given = await town.person("ana").use("coins add", who=artists, amount=7, reason="well drawn")
        assert given.lines[0] == "Correct 2 members, moving 14 coins in all? After it they have:"
        empty = await made(town, "nobody")
        assert (await town.person("bo").use("tip", to=empty, amount="1")).text.startswith("Nobody who is known to be")


async def test_where_discord_does_not_tell_who_holds_a_role_nobody_waits_for_it(enter, peer: Peer) -> None:
    """Fault 77: and whoever asks next asks anew."""
    async with enter(members_intent=True) as town:
        guild = town.door.client.get_guild(town.guild.id)
        assert guild is not None

        async def everyone(within_s: float) -> Group:
            return await group_of(guild.id, "everyone", guild, town.door.client, with_holders=True, within_s=within_s)

        peer.gateway.keeps_members = True
        assert (await everyone(0.01)).holders is None
        peer.gateway.keeps_members = False
        found = (await everyone(10)).holders
        assert found is not None
        assert {each.name for each in found} == {"ana", "mo", "bo", "cy"}


async def test_without_the_members_intent_a_role_as_receiver_says_so(town) -> None:
    artists = await made(town, "artists")
    member(town, "cy").roles.add(artists.id)
    seen = await town.person("ana").use("tip", to=artists, amount="10")
    assert seen.lines[0].startswith("I am not told who holds the role artists.")


# --- shards -----------------------------------------------------------------------------------------------------


async def test_two_processes_share_the_servers_by_shards(enter, peer: Peer) -> None:
    dan = peer.user("dan")
    servers = [peer.guild(f"server {number}", dan) for number in range(4)]
    async with enter() as town, AsyncExitStack() as stack:
        await town.door.close()
        other = await stack.enter_async_context(open_florin(town.address, town.clock))
        processes = [Overheard(town.florin.conversation), Overheard(other.conversation)]
        for shard, overheard in enumerate(processes):
            await stack.enter_async_context(opened_door(peer, overheard, shards=(range(shard, shard + 1), 2)))
        assert [asked["shard"] for asked in peer.gateway.identifies[1:]] == [[0, 2], [1, 2]]
        for server in servers:
            assert (await Person(peer, dan, server).use("balance")).lines[0] == "You have 0 coins."
        for shard, overheard in enumerate(processes):
            heard_of = {int(invocation.place.native_id) for invocation, _ in overheard.said}
            assert heard_of == {server.id for server in servers if (server.id >> 22) % 2 == shard}
