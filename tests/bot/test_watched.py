"""`/metrics` and `/health` as those who watch ask for them, of a Florin that runs."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from http.client import HTTPConnection

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.app import open_florin
from bot.settings import SettingsError
from bot.watched import watched
from economy.figures import Figures
from economy.store.journal import StoreJournal
from economy.store.watching import StoreWatch
from tests.bot.figures import FIGURES, journal_with
from tests.bot.talk import StandingClock, Talk
from tests.economy.store.acting import Acting, StillClock, tip
from tests.economy.store.test_journal_faults import outside_transactions
from tests.support.stores import open_store, upgrade


class Told:
    """A watch that says what it was told to say."""

    def __init__(self, figures: Figures) -> None:
        self.now = figures

    async def figures(self) -> Figures:
        return self.now


@pytest.fixture
def told() -> Told:
    return Told(FIGURES)


@pytest.fixture
async def port(told: Told) -> AsyncIterator[int]:
    async with watched(told, ("127.0.0.1", 0)) as opened:
        yield opened


async def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body."""

    def exchange() -> tuple[int, dict[str, str], str]:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read().decode()
        finally:
            connection.close()

    return await asyncio.to_thread(exchange)


async def test_metrics_are_told_as_prometheus_reads_them(port):
    status, headers, page = await ask(port, "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    names = {family.name for family in text_string_to_metric_families(page)}
    assert {"florin_orders", "florin_journal_batch_seconds", "process_resident_memory_bytes"} <= names
    status, headers, page = await ask(port, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert headers["content-type"].startswith("application/openmetrics-text")
    assert page.endswith("# EOF\n")


async def test_health_is_a_status_and_its_reasons(port, told):
    status, headers, page = await ask(port, "/health")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(page) == {"status": "ok", "degraded": [], "warnings": []}
    told.now = journal_with(state="read_only")
    status, _, page = await ask(port, "/health")
    assert status == 503
    assert json.loads(page)["status"] == "degraded"
    assert [each["what"] for each in json.loads(page)["degraded"]] == ["journal"]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/", "GET", 404), ("/metrics/", "GET", 404), ("/health", "POST", 405), ("/metrics", "HEAD", 200)],
)
async def test_there_is_nothing_else(port, path, method, status):
    found, headers, page = await ask(port, path, method)
    assert found == status
    assert (page == "") == (method == "HEAD")
    assert int(headers["content-length"]) > 0


async def test_an_address_that_is_taken_is_a_sentence(told, port):
    said = r"^Nothing can listen at FLORIN_METRICS__LISTEN: Address already in use\.$"
    with pytest.raises(SettingsError, match=said):
        async with watched(told, ("127.0.0.1", port)):
            pass


async def test_signals_stay_with_the_process(told):
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    async with watched(told, ("127.0.0.1", 0)) as port:
        await ask(port, "/health")
        assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


async def test_a_florin_that_runs_can_be_watched(tmp_path, caplog):
    """Faults 37 and 147, as far as they can be seen from outside."""
    caplog.set_level("INFO", "bot.watched")
    clock = StandingClock()
    async with open_florin(f"sqlite:///{tmp_path / 'florin.db'}", clock, ("127.0.0.1", 0)) as florin:
        port = int(caplog.text.rstrip().rpartition(":")[2])
        await Talk(florin, clock, "first").join("ana", "bo")
        status, _, page = await ask(port, "/metrics")
        assert status == 200
        assert 'florin_orders_total{code="",kind="join",outcome="done"} 2.0' in page
        assert 'florin_journal_state{state="open"} 1.0' in page
        status, _, page = await ask(port, "/health")
        assert (status, json.loads(page)["degraded"]) == (200, [])


async def test_a_store_that_cannot_be_written_to_degrades_until_it_can(tmp_path):
    """Fault 146"""
    address, clock = f"sqlite:///{tmp_path / 'florin.db'}", StillClock()
    await upgrade(address)
    async with await open_store(address) as store, StoreJournal(store, clock) as journal:
        acting = Acting(journal)
        await acting.grant(ana=100)
        watch = StoreWatch(store, journal, clock)
        async with watched(watch, ("127.0.0.1", 0)) as port:
            await outside_transactions(store, "PRAGMA query_only = ON")
            assert (await acting.refused(tip("ana", "bo"))).code == "read_only"
            status, _, page = await ask(port, "/health")
            assert (status, [each["what"] for each in json.loads(page)["degraded"]]) == (503, ["journal"])
            await outside_transactions(store, "PRAGMA query_only = OFF")
            async with asyncio.timeout(30):
                while (await acting.submit(tip("ana", "bo"))).number is None:
                    pass
            assert (await ask(port, "/health"))[0] == 200
        await watch.close()
