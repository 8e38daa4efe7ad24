"""What a store's file stands on."""

from pathlib import Path

import pytest

from economy.store import disk
from economy.store.errors import UnsafeStoreError
from tests.support.stores import open_store, upgrade

MOUNTS = """\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
23 22 0:21 / /proc rw,relatime - proc proc rw
30 22 0:40 / /srv rw,relatime - nfs4 server.example:/srv rw,vers=4.2
31 30 8:1 / /srv/own rw - xfs /dev/sda1 rw
32 22 0:41 / /mnt/two\\040words rw master:3 - fuse.sshfs ana@server.example: rw
33 22 0:42 / /mnt/host rw - 9p host rw
34 22 0:43 / /twice rw - nfs server.example:/old rw
35 22 8:2 / /twice rw - ext4 /dev/sdb1 rw
torn line
"""


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the system says is mounted where, for a test to write."""
    file = tmp_path / "mountinfo"
    file.write_text(MOUNTS)
    monkeypatch.setattr(disk, "MOUNTS", file)
    return file


@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize(
    ("file", "name", "is_remote"),
    [
        ("/florin.db", "ext4", False),
        ("/srv/florin.db", "nfs4", True),
        ("/srv/deep/er/florin.db", "nfs4", True),
        ("/srv/own/florin.db", "xfs", False),
        ("/srvown/florin.db", "ext4", False),
        ("/mnt/two words/florin.db", "fuse.sshfs", True),
        ("/mnt/host/florin.db", "9p", False),
        ("/twice/florin.db", "ext4", False),
    ],
)
def test_a_file_stands_on_the_file_system_that_is_mounted_last_and_deepest(file, name, is_remote):
    assert disk.file_system_of(Path(file)) == name
    assert disk.is_remote(name) is is_remote


def test_a_system_that_does_not_tell_is_believed(mounts):
    mounts.unlink()
    assert disk.file_system_of(Path("/florin.db")) is None
    disk.must_be_local(Path("/florin.db"))


def test_this_system_tells():
    assert disk.file_system_of(Path("/proc/self/mountinfo")) == "proc"


async def test_a_store_on_another_machine_is_refused(mounts, tmp_path):
    """Fault 48: before anything of it is touched."""
    new = tmp_path / "new.db"
    mounts.write_text(f"{MOUNTS}40 22 0:44 / {tmp_path} rw - cifs //server.example/share rw\n")
    with pytest.raises(UnsafeStoreError, match=r"another machine \(cifs\)"):
        await upgrade(f"sqlite:///{new}")
    assert not new.exists()
    mounts.write_text(MOUNTS)
    await upgrade(f"sqlite:///{new}")
    async with await open_store(f"sqlite:///{new}"):
        assert new.exists()


async def test_a_link_to_another_machine_is_seen_through(mounts, tmp_path):
    """Fault 48"""
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to(tmp_path / "far")
    mounts.write_text(f"{MOUNTS}40 22 0:44 / {tmp_path / 'far'} rw - nfs server.example:/far rw\n")
    with pytest.raises(UnsafeStoreError):
        await upgrade(f"sqlite:///{tmp_path / 'near' / 'new.db'}")


def test_room_is_counted(tmp_path):
    left = disk.inodes_free(tmp_path / "new.db")
    assert left is None or left > 0
    file = tmp_path / "new.db"
    assert not disk.is_writable(file)
    file.touch()
    assert disk.is_writable(file)
