"""Files are put in place whole and on the disk, or not at all."""

import ast
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vis_pipeline.errors import DataError
from vis_pipeline.files import whole_files
from vis_pipeline.files.whole_files import (
    remove_unfinished,
    replacing,
    unfinished,
    write_bytes,
    write_json_list,
    write_text,
)

SOURCES = [
    Path(whole_files.__file__).parents[1],
    *(Path(whole_files.__file__).parents[2] / n for n in ("detectors", "evaluation")),
]
# A made split's frames count only with the `instances.json` that comes last; a server's word on a half-fetched file; a
# bench's files in a folder for the moment; PyAV, which fills a file beside the video's or the GIF's place.
WRITE_FOR_THEMSELVES = {
    "synthesis/common/split.py",
    "weights/fetch.py",
    "bench/evaluator.py",
    "bench/faults.py",
    "visualize/gif_writer.py",
    "visualize/video_writer.py",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file.json"
    path.write_text("before")
    return path


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file grows beyond `room` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_afterwards(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    monkeypatch.setattr(
        whole_files.os, "fsync", lambda descriptor: synced.append((os.fstat(descriptor).st_ino, path.read_text()))
    )
    with replacing(path) as filled:
        filled.write_text("after")
        assert filled.parent == path.parent
        number = filled.stat().st_ino
    assert synced == [(number, "before"), (path.parent.stat().st_ino, "after")]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_error_leaves_what_was_there_and_nothing_else(path: Path, fault: BaseException) -> None:
    with pytest.raises(type(fault)), replacing(path) as filled:
        filled.write_text("half of")
        raise fault
    assert path.read_text() == "before"
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_loses_nothing_and_is_one_line(path: Path) -> None:
    with full_disk(100), pytest.raises(DataError) as caught:
        write_bytes(path, bytes(101))
    assert str(caught.value) == f"{path}: cannot be written (File too large)"
    assert path.read_text() == "before"
    assert list(path.parent.iterdir()) == [path]


def test_a_disk_that_fails_when_it_should_be_done_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(whole_files.os, "fsync", fail)
    with pytest.raises(DataError, match=r"file\.json: cannot be written \(Input/output error\)"):
        write_text(path, "after")
    assert path.read_text() == "before"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_cannot_be_synced_takes_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = os.fsync

    def refuse_folders(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == path.parent.stat().st_ino:
            raise OSError(22, "Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(whole_files.os, "fsync", refuse_folders)
    write_text(path, "ä")
    assert path.read_bytes() == b"\xc3\xa4"


def test_a_new_file_has_the_rights_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_text(tmp_path / "new", "")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_place_that_is_no_file_stays_what_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match=r"pipe: cannot be written \(not a regular file\)"):
        write_text(tmp_path / "pipe", "after")
    assert (tmp_path / "pipe").is_fifo()
    with pytest.raises(DataError, match=r"file\.json: cannot be written \(No such file"):
        write_text(tmp_path / "nowhere/file.json", "")


def test_standard_output_gets_the_bytes(capfd: pytest.CaptureFixture[str]) -> None:
    write_text(Path("/dev/stdout"), "scores")
    assert capfd.readouterr().out == "scores"


def test_two_processes_do_not_fill_the_same_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with replacing(path) as filled:
        filled.write_text("first")
        with monkeypatch.context() as other:
            other.setattr(whole_files.os, "getpid", lambda: -1)
            write_text(path, "second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"


def test_what_a_killed_process_left_can_be_removed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_files.os, "getpid", lambda: -1)
    unfinished(path).write_text("half of")
    (path.parent / "own.part").write_text("another program's")
    remove_unfinished(path.parent)
    assert {left.name for left in path.parent.iterdir()} == {"file.json", "own.part"}


@pytest.mark.parametrize("entries", [[], [{"a": 1}], [1, None, "ä", [2.5]]])
def test_a_list_is_written_entry_by_entry(path: Path, entries: list[object]) -> None:
    write_json_list(path, iter(entries))
    assert json.loads(path.read_text()) == entries


def test_a_list_whose_entries_fail_leaves_what_was_there(path: Path) -> None:
    def entries() -> Iterator[int]:
        yield 1
        raise DataError("the second")

    with pytest.raises(DataError, match="the second"):
        write_json_list(path, entries())
    with pytest.raises(DataError, match=r"file\.json: cannot be written"), full_disk(100):
        write_json_list(path, range(100))
    assert path.read_text() == "before" and list(path.parent.iterdir()) == [path]


def test_nothing_else_writes_files_for_itself() -> None:
    """Whatever fills a file fills one named `filled`, which :mod:`vis_pipeline.files.whole_files` puts in place."""
    found = set()
    for folder in SOURCES:
        for source in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _writes(node, node.func):
                    found.add(f"{source.relative_to(folder)}: {ast.unparse(node)}")
    found = {call for call in found if call.split(":")[0] not in WRITE_FOR_THEMSELVES | {"files/whole_files.py"}}
    assert not found


def _writes(call: ast.Call, function: ast.Attribute) -> bool:
    mode = next((a.value for a in call.args if isinstance(a, ast.Constant) and a.value in ("w", "wb", "x", "xb")), None)
    target: ast.expr = call.args[0] if function.attr == "savefig" else function.value
    writes = function.attr in ("write_text", "write_bytes", "savefig") or (function.attr == "open" and mode)
    return bool(writes) and "filled" not in {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
