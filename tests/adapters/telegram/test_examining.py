"""What the doctor finds on Telegram's side."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from adapters.telegram.examining import look
from adapters.telegram.found import GroupState, TelegramState
from bot.commands.registry import specs
from bot.doctor import StoreState, examine, healthy
from bot.doctor_telegram import examined_on_telegram
from bot.findings import State
from bot.settings import Environment, read_environment
from tests.support.telegram import BOT_HANDLE, BOT_ID, TOKEN, Telegram
from tests.support.telegram_town import line_to, serving

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STORE = StoreState(address="sqlite:///x", exists=False)
FINE = TelegramState(handle="florin_bot", sees_all=True, groups=(GroupState("lobby", True, True),))


async def found(there: Telegram, *groups: int) -> TelegramState:
    return await look(line_to(there), groups, specs(), lambda spec, _: spec.help)


async def test_it_looks_at_the_bot_its_webhook_its_menus_and_its_groups(there, address, clock):
    group = there.group("lobby", owner="ana")
    bare = there.group("cafe", owner="ana", bot="member")
    gone = there.group("bar", owner="ana", bot="kicked")
    assert not (await found(there)).menus_kept
    async with serving(there, address, clock):
        await there.until(lambda: len(there.menus) == 3)
    state = await found(there, group.id, bare.id, gone.id)
    assert state.bot_id == BOT_ID
    assert (state.handle, state.sees_all, state.webhook, state.menus_kept) == (BOT_HANDLE, False, "", True)
    assert [(each.title, each.administers) for each in state.groups[:2]] == [("lobby", True), ("cafe", False)]
    assert "kicked" in state.groups[2].problem


async def test_a_token_that_is_none_is_told_and_not_shown(there):
    """Fault 129"""
    line = line_to(there)
    state = await look(replace(line, token=f"{TOKEN}-canary"), (), (), lambda spec, _: "")
    assert not state.knows_token
    assert "canary" not in str(state)


async def test_telegram_away_is_told_without_the_address_which_holds_the_token(there):
    """Fault 129"""
    state = await look(replace(line_to(there), api_url="http://127.0.0.1:9"), (), (), lambda spec, _: "")
    assert state.problem
    assert TOKEN not in state.problem


@pytest.fixture
def environment() -> Environment:
    return read_environment()


def states(environment: Environment, telegram: TelegramState) -> dict[str, State]:
    return {finding.about: finding.state for finding in examine(environment, STORE, NOW, None, telegram)}


def test_all_is_well(environment):
    assert healthy(examine(environment, STORE, NOW, None, FINE))
    assert states(environment, FINE)["group lobby"] is State.OK


@pytest.mark.parametrize(
    ("about", "state", "changed"),
    [
        ("telegram", State.WRONG, {"problem": "x", "knows_token": False}),
        ("telegram", State.WRONG, {"problem": "NetworkError"}),
        ("privacy mode", State.OK, {"sees_all": False}),
        ("webhook", State.WARNING, {"webhook": "https://other.example/"}),
        ("menus", State.WARNING, {"menus_kept": False}),
        ("group cafe", State.WARNING, {"groups": (GroupState("cafe"),), "sees_all": False}),
        ("group cafe", State.WARNING, {"groups": (GroupState("cafe", problem="gone"),)}),
    ],
)
def test_what_is_not_so_is_told(environment, about, state, changed):
    assert states(environment, replace(FINE, **changed))[about] is state


def test_a_token_of_another_bot_than_the_stores_is_wrong(environment):
    """Fault 149"""
    found = {
        known: examined_on_telegram(replace(FINE, bot_id=1), FINE.webhook, NOW, known) for known in (None, "1", "2")
    }
    assert "telegram bot" not in {finding.about for known in (None, "1") for finding in found[known]}
    [wrong] = [finding for finding in found["2"] if finding.about == "telegram bot"]
    assert wrong.state is State.WRONG
    assert "the store is for the bot 2, and the token is that of 1" in wrong.words


def test_a_webhook_that_fails_is_wrong(monkeypatch):
    """Fault 151"""
    monkeypatch.setenv("FLORIN_TELEGRAM__WEBHOOK", "https://florin.example/telegram")
    monkeypatch.setenv("FLORIN_TELEGRAM__WEBHOOK_SECRET", "s" * 40)
    environment = read_environment()
    url = "https://florin.example/telegram"
    assert states(environment, replace(FINE, webhook=url))["webhook"] is State.OK
    failing = replace(FINE, webhook=url, failed_at=NOW - timedelta(minutes=5), failure="Connection refused")
    assert states(environment, failing)["webhook"] is State.WRONG
    assert states(environment, FINE)["webhook"] is State.WARNING
