"""A language made for tests: every text there is, between marks, so that whatever was not translated is seen."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from bot.wording import LOCALES

TAG = "de"
OWN = {"tip": "trinkgeld", "gift": "geschenk", "daily": "geschenk", "amount": "betrag"}
"""What stands for itself: words that commands and options can be called. Two of them are the same."""


def marked(text: str) -> str:
    return OWN.get(text) or f"«{text}»"


def write_language(folder: Path, tag: str = TAG) -> None:
    """Writes the catalogue, of all that translators are given, into `folder`."""
    with (LOCALES / "florin.pot").open("rb") as source:
        asked = read_po(source)
    said = Catalog(locale=tag)
    for message in asked:
        match message.id:
            case (str(one), str(many)):
                said.add(message.id, (marked(one), marked(many)))
            case str(text) if text:
                said.add(text, marked(text))
    with (folder / f"{tag}.po").open("wb") as file:
        write_po(file, said)
