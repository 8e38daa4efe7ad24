"""Columns of values reach PostgreSQL as they are."""

from __future__ import annotations

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from economy.store.arrays import array_text, parameter
from economy.values import Asset, Coins, Own

ODD = (
    "",
    " ",
    "NULL",
    "null",
    "a,b",
    '"',
    "\\",
    '\\\\"',
    "{}",
    "{a}",
    "\x01",
    "\x01\x01",
    "'",
    "é",
    "日本",
    "\n",
    "\t",
    "🌹",
)


def read(text: str) -> list[str | None]:
    """The elements of an array of texts, by PostgreSQL's own rules of reading."""
    found: list[str | None] = []
    place = 1
    while text[place] != "}":
        if text[place] == '"':
            element = ""
            place += 1
            while text[place] != '"':
                place += text[place] == "\\"
                element += text[place]
                place += 1
            place += 1
            found.append(element)
        else:
            end = min(text.index(mark, place) for mark in ",}" if mark in text[place:])
            assert text[place:end] == "NULL"
            found.append(None)
            place = end
        place += text[place] == ","
    return found


@given(st.lists(st.none() | st.sampled_from(ODD) | st.text()))
def test_texts_are_read_back_as_they_were(values):
    assert read(array_text(values)) == values


def test_numbers_of_all_kinds_are_written_as_numbers():
    assert array_text([1, -2, True, False, None, Coins(5), Own.HOUSE]) == f"{{1,-2,1,0,NULL,5,{int(Own.HOUSE)}}}"
    assert array_text([]) == "{}"
    assert array_text([Asset.COIN, Asset.BONUS]) == '{"coin","bonus"}'


@pytest.mark.parametrize(
    ("of", "values"),
    [
        ("text", [None, *ODD]),
        ("bigint", [None, 0, -(2**63), 2**63 - 1]),
        ("boolean", [None, True, False]),
        ("text", []),
    ],
)
async def test_a_server_reads_them_back(postgres_address, of, values):
    server = await asyncpg.connect(postgres_address)
    assert await server.fetchval(f"SELECT {parameter(1, of)}", array_text(values)) == values
    await server.close()
