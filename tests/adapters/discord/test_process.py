"""`florin run` as a process of its own, at a Discord in tests: it starts, stops, dies, and loses nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.adapters.discord.peer import Peer
from tests.adapters.discord.people import Person

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def running(peer: Peer, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Florin, connected; it is ended on the way out if it still runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLORIN_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.cli",
        "run",
        "--store",
        f"sqlite:///{folder / 'florin.db'}",
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
        env=environment
        | {
            "FLORIN_DISCORD__TOKEN": peer.token,
            "FLORIN_DISCORD__API_URL": peer.url,
            "FLORIN_DISCORD__GATEWAY_URL": peer.gateway_url,
            "FLORIN_LOG_FORMAT": "json",
        },
    )
    try:
        await peer.until(lambda: bool(peer.gateway.connected()), within_s=60)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
def people(peer: Peer) -> dict[str, Person]:
    owner = peer.user("ana")
    guild = peer.guild("lobby", owner)
    bo = peer.user("bo")
    guild.join(bo)
    return {user.name: Person(peer, user, guild) for user in (owner, bo)}


async def test_it_serves_until_it_is_told_to_stop_and_tells_no_secrets(peer: Peer, people, tmp_path: Path) -> None:
    """Fault 129, fault 131"""
    ana, bo = people["ana"], people["bo"]
    async with running(peer, tmp_path) as process:
        given = await ana.use("coins add", who=bo.user, amount=100, reason="a secret reason")
        assert given.text == "bo got 100 coins and has 100 now."
        assert (await bo.use("tip", to=ana.user, amount="30", note="a secret note")).lines[
            0
        ] == "bo tipped ana 30 coins."
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        logged = (await process.stderr.read()).decode()
        assert await process.wait() == 128 + signal.SIGTERM
    assert '"commands told"' in logged
    assert "secret" not in logged
    assert peer.token not in logged


async def test_what_was_committed_and_not_answered_is_answered_after_a_crash(
    peer: Peer, people, tmp_path: Path
) -> None:
    """Fault 43, fault 81: the same interaction told again finds its answer, and no second effect."""
    ana, bo = people["ana"], people["bo"]
    async with running(peer, tmp_path) as process:
        await ana.use("coins add", who=bo.user, amount=100, reason="to begin with")
        peer.fail("POST", "/callback$", None, times=1_000)
        interaction = await bo.send("tip", to=ana.user, amount="30")
        await peer.until(lambda: any(failure.times < 1_000 for failure in peer.failures))
        process.kill()
        await process.wait()
    peer.failures.clear()
    await peer.until(lambda: not peer.gateway.connected())
    async with running(peer, tmp_path):
        # However long the machine takes to start it, to Discord no time has passed.
        peer.forward(interaction.began_at - peer.now())
        await peer.deliver(interaction)
        assert (await bo.sees(interaction)).text == "bo tipped ana 30 coins."
        assert (await bo.use("balance")).lines[0] == "You have 70 coins."


async def test_the_token_of_another_application_is_refused_until_an_operator_accepts_it(
    peer: Peer, people, tmp_path: Path
) -> None:
    """Fault 149: a staging token with a store in use moves nothing, and tells nobody anything."""
    async with running(peer, tmp_path):
        await people["ana"].use("help")
    await peer.until(lambda: not peer.gateway.connected())
    first, peer.application_id = peer.application_id, 4_321
    uploads = peer.command_uploads

    async def florin(*words: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.cli", *words, "--store", f"sqlite:///{tmp_path / 'florin.db'}"),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                "FLORIN_DISCORD__TOKEN": peer.token,
                "FLORIN_DISCORD__API_URL": peer.url,
                "FLORIN_DISCORD__GATEWAY_URL": peer.gateway_url,
                "FLORIN_LOG_LEVEL": "error",
            },
        )
        told = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, b"".join(told).decode()

    status, told = await florin("run")
    assert status == 1
    assert told == (
        f"florin: This store is for the bot {first} on discord, and the token is that of 4321: nothing was done. Set"
        " the right token or the right store; where the bot was changed for good, say `florin bots forget discord`.\n"
    )
    assert (peer.command_uploads, peer.gateway.connected()) == (uploads, [])
    status, found = await florin("doctor")
    assert status == 1
    assert f"discord bot: the store is for the bot {first}, and the token is that of 4321" in found
    assert await florin("bots", "forget", "discord") == (
        0,
        f"The store was for the bot {first} on discord. It is for the next that starts.\n",
    )
    async with running(peer, tmp_path):
        assert (await people["ana"].use("balance")).lines[0] == "You have 0 coins."


async def test_a_token_that_discord_does_not_take_is_one_sentence(peer: Peer, tmp_path: Path) -> None:
    """Fault 129"""
    token, peer.token = "test-canary", "test-other"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.cli",
        "run",
        "--store",
        f"sqlite:///{tmp_path / 'florin.db'}",
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "FLORIN_DISCORD__TOKEN": token,
            "FLORIN_DISCORD__API_URL": peer.url,
            "FLORIN_LOG_LEVEL": "error",
        },
    )
    _, told = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert told.decode() == (
        "florin: Discord does not take FLORIN_DISCORD__TOKEN: copy the bot's token again, or reset it there.\n"
    )
