"""Telegram's HTML as Telegram reads it, strictly: what it refuses raises, as it would be answered with 400."""

import re
from html import unescape

TAGS = {"b", "strong", "i", "em", "u", "s", "code", "pre", "a", "blockquote"}
_PIECE = re.compile(
    r"<(/?)([a-z]+)((?: [a-z]+=\"[^\"<>]*\")*)>|&(?:lt|gt|amp|quot|#[0-9]+|#x[0-9a-f]+);|[^<>&]+", re.DOTALL
)


class UnreadableHtml(ValueError):
    pass


def read_html(text: str) -> tuple[str, list[dict]]:
    """The plain text and its entities (offsets in UTF-16 units). Raises UnreadableHtml."""
    plain, entities, opened = "", [], []
    at = 0
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None:
            raise UnreadableHtml(f"can't parse entities: unexpected character at {at}")
        at = found.end()
        closing, tag, attributes = found.groups()
        if tag is None:
            plain += unescape(found[0])
        elif tag not in TAGS:
            raise UnreadableHtml(f"can't parse entities: unsupported start tag {tag}")
        elif not closing:
            opened.append((tag, attributes, len(plain)))
        else:
            if not opened or opened[-1][0] != tag:
                raise UnreadableHtml(f"can't parse entities: unexpected end tag {tag}")
            _, attributes, start = opened.pop()
            entities.append({"type": tag, "offset": _units(plain[:start]), "length": _units(plain[start:])})
            if href := re.search(r'href="([^"]*)"', attributes):
                entities[-1]["url"] = href[1]
    if opened:
        raise UnreadableHtml("can't parse entities: can't find end tag")
    return plain, entities


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
