"""What a terminal shows of replies, in colour."""

from __future__ import annotations

from rich.console import Console
from rich.filesize import decimal
from rich.text import Text

from adapters.console.rendering import inert, labels, painted
from adapters.console.shelf import Shelf
from adapters.contract import File, Node, Reply, Table, Visibility

_SPEAKER = "bot> "
_MARGIN = " " * len(_SPEAKER)
_WIDTH_MIN = 20


class Screen:
    """Shows replies and the console's own words. Keeps the files that come with replies."""

    def __init__(self, console: Console, shelf: Shelf) -> None:
        self._console = console
        self._shelf = shelf

    def reply(self, reply: Reply, *, reader: str, private: bool) -> None:
        """Shows a reply to `reader`. `private`: they are alone with the bot anyway."""
        lines = [line for node in reply.nodes for line in self._fitted(node)]
        for number, line in enumerate(lines):
            head = Text(_SPEAKER if number == 0 else _MARGIN, "green" if reply.code is None else "red")
            self._print(head.append_text(line))
        for node in reply.nodes:
            if isinstance(node, File):
                path = self._shelf.keep(node)
                self.note(f"{_MARGIN}{node.name} ({decimal(len(node.content))}), saved to {path}")
        if reply.buttons:
            self._print(Text(_MARGIN).append_text(_buttons(reply)))
        if reply.visibility is Visibility.PRIVATE and not private:
            self.note(f"{_MARGIN}Only {reader} sees this.")

    def note(self, text: str) -> None:
        """Something that the console says itself."""
        self._print(Text(inert(text), "dim"))

    def notes(self, text: str) -> None:
        for line in text.splitlines():
            self.note(line)

    def problem(self, text: str) -> None:
        self._print(Text(inert(text), "yellow"))

    def _fitted(self, node: Node) -> list[Text]:
        """The node's lines, wrapped between words; a table's rows stay whole."""
        lines = painted([node])
        if isinstance(node, Table):
            return lines
        width = max(self._console.width - len(_MARGIN), _WIDTH_MIN)
        return [part for line in lines for part in line.wrap(self._console, width) or [Text()]]

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)


def _buttons(reply: Reply) -> Text:
    shown = Text()
    for number, label in enumerate(labels(reply), start=1):
        shown.append(f"[{number}: {label}]", "bold blue").append("  ")
    return shown.append("/press 1" if len(reply.buttons) == 1 else f"/press 1 to {len(reply.buttons)}", "dim")
