"""Folders come into their place whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vis_pipeline.errors import DataError
from vis_pipeline.files import whole_files
from vis_pipeline.files.whole_files import unfinished
from vis_pipeline.files.whole_folders import new_folder


def test_a_folder_is_there_when_all_of_it_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced = tmp_path / "results/a", []
    monkeypatch.setattr(whole_files.os, "fsync", lambda number: synced.append((os.fstat(number).st_ino, path.exists())))
    with new_folder(path) as filled:
        (filled / "1.png").write_bytes(b"1")
        assert filled.parent == path.parent and filled.name.startswith(".") and not path.exists()
    assert [entry.name for entry in path.parent.iterdir()] == ["a"]
    inodes = [(path / "1.png").stat().st_ino, path.stat().st_ino]
    assert synced == [*((inode, False) for inode in inodes), (path.parent.stat().st_ino, True)]


@pytest.mark.parametrize("fault", [DataError("a frame"), KeyboardInterrupt()])
def test_an_error_leaves_nothing(fault: BaseException, tmp_path: Path) -> None:
    with pytest.raises(type(fault)), new_folder(tmp_path / "a") as filled:
        (filled / "1.png").write_bytes(b"1")
        raise fault
    assert not list(tmp_path.iterdir())


def test_a_disk_that_does_not_take_it_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a: cannot be written \(No such file or directory\)"):  # noqa: SIM117
        with new_folder(tmp_path / "a") as filled:
            (filled / "nowhere/1.png").write_bytes(b"1")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"), new_folder(tmp_path / "file/a"):
        pass


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(DataError, match="a: is there, and is not what is to be written"), new_folder(tmp_path / "a"):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_what_a_killed_process_left_is_removed_and_others_folders_are_not(tmp_path: Path) -> None:
    source = (
        "import os, sys, pathlib\n"
        "from vis_pipeline.files.whole_folders import new_folder\n"
        "with new_folder(pathlib.Path(sys.argv[1])) as filled:\n"
        "    (filled / '1.png').write_bytes(b'1')\n"
        "    os._exit(9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", source, str(tmp_path / "a")], check=False, timeout=60)
    assert killed.returncode == 9
    (left,) = tmp_path.iterdir()
    others = [unfinished(tmp_path / name) for name in ("b", "a.b", "a.5")]
    for other in others:
        other.mkdir()
    with new_folder(tmp_path / "a") as filled:
        (filled / "2.png").write_bytes(b"2")
    assert not left.exists() and all(other.exists() for other in others)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["2.png"]
