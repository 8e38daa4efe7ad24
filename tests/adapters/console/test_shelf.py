"""Files that the bot sends are kept, and nothing is written over."""

from pathlib import Path

import pytest

from adapters.console.shelf import Shelf
from adapters.contract import File


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "files")
    paths = [shelf.keep(File("history.csv", content)) for content in (b"one", b"two", b"three")]
    assert [path.name for path in paths] == ["history.csv", "history-2.csv", "history-3.csv"]
    assert [path.read_bytes() for path in paths] == [b"one", b"two", b"three"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("/x.csv", "x.csv"),
        ("..", "file"),
        ("", "file"),
        ("a b\x1b.csv", "a-b-.csv"),
    ],
)
def test_no_name_leads_out_of_the_folder(name: str, kept: str, tmp_path: Path) -> None:
    path = Shelf(tmp_path).keep(File(name, b""))
    assert (path.parent, path.name) == (tmp_path, kept)


def test_without_a_folder_there_is_a_temporary_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shelf = Shelf()
    first, second = shelf.keep(File("a", b"")), shelf.keep(File("b", b""))
    assert first.parent == second.parent
    assert first.parent.parent == tmp_path
