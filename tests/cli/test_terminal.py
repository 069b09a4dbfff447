"""What comes from data is text on a terminal; a disk that takes no more loses nothing and is named."""

import errno
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from rich.table import Table
from rich.text import Text
from typer.testing import CliRunner

from vis_pipeline.cli.app import app
from vis_pipeline.errors import UserError
from vis_pipeline.files import whole_files
from vis_pipeline.terminal import Terminal, echo, plain, plain_line

HOSTILE = "a[/b][red]\x1b[31m\x1b]0;title\x07\x9b2J\u202edcba\r\x00:smile:"


def printed(*things: Any, **options: Any) -> str:
    file = io.StringIO()
    Terminal(file=file, width=200, **options).print(*things)
    return file.getvalue()


def assert_harmless(text: str) -> None:
    assert not any(sign in text for sign in "\x1b\x9b\x07\r\x00\u202e")
    assert "a[/b][red]\\x1b[31m" in text and ":smile:" in text


def test_hostile_text_is_written_out() -> None:
    assert_harmless(printed(HOSTILE))
    assert_harmless(printed(Text(HOSTILE)))
    table = Table("name", title=HOSTILE)
    table.add_row(HOSTILE)
    table.add_row(Text(HOSTILE))
    assert_harmless(printed(table))
    assert plain("two\nlines\tand 漢字 é") == "two\nlines\\tand 漢字 é"
    assert plain_line("two\nlines") == "two\\nlines"


def test_our_own_colours_still_work() -> None:
    assert printed(Text("x", style="red"), force_terminal=True, color_system="standard") == "\x1b[31mx\x1b[0m\n"


def test_echo(capsys: pytest.CaptureFixture[str]) -> None:
    echo(f"one\n{HOSTILE}")
    echo(HOSTILE, err=True)
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert_harmless(out)
    assert_harmless(err)


def test_names_of_categories_and_videos_in_tables(tmp_path: Path) -> None:
    rle = {"size": [4, 4], "counts": [0, 16]}
    split = {
        "videos": [{"id": 1, "width": 4, "height": 4, "length": 1, "file_names": [f"{HOSTILE[:-9]}/0.jpg"]}],
        "categories": [{"id": 1, "name": HOSTILE}],
        "annotations": [{"id": 1, "video_id": 1, "category_id": 1, "segmentations": [rle], "iscrowd": 0}],
    }
    (tmp_path / "gt.json").write_text(json.dumps(split))
    (tmp_path / "r.json").write_text("[]")
    result = CliRunner().invoke(app, ["evaluate", str(tmp_path / "r.json"), "--gt", str(tmp_path / "gt.json")])
    assert result.exit_code == 0, result.output
    assert_harmless(result.output)


@pytest.mark.parametrize("arguments", [["weights", "list", "--cache", "a[/b]\x1b[31m"]])
def test_a_path_that_is_markup(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "a[/b]\\x1b[31m" in result.output


def test_standard_output_on_a_full_disk() -> None:
    """One command, since Python's own last flush can only be seen from outside."""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "vis_pipeline", "weights", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stderr == "error: standard output: cannot be written (No space left on device)\n"


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on no byte reaches the disk through the one writer."""

    def no_room(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    return lambda: monkeypatch.setattr(whole_files, "sync", no_room)


def write_siammask(path: Path) -> None:
    from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
    from vis_pipeline.trackers.siammask.checkpoint import save_siammask
    from vis_pipeline.trackers.siammask.network import SiamMask

    torch.manual_seed(0)
    save_siammask(path, SiamMask(ARCHITECTURES["small"]))


def commands(folder: Path) -> dict[str, list[object]]:
    """Each with the file that it writes last; the file is there already."""
    frames = folder / "frames/1"
    frames.mkdir(parents=True)
    for index in range(2):
        cv2.imwrite(str(frames / f"{index}.png"), np.full((48, 64, 3), 90, np.uint8))
    write_siammask(folder / "w.safetensors")
    video = {"id": 1, "width": 64, "height": 48, "length": 2, "file_names": ["1/0.png", "1/1.png"]}
    rle = {"size": [48, 64], "counts": [0, 48 * 64]}
    split = {
        "videos": [video],
        "categories": [{"id": 1, "name": "a"}],
        "annotations": [{"id": 1, "video_id": 1, "category_id": 1, "segmentations": [rle, rle], "iscrowd": 0}],
    }
    (folder / "gt.json").write_text(json.dumps(split))
    (folder / "r.json").write_text("[]")
    return {
        "evaluate": ["evaluate", folder / "r.json", "--gt", folder / "gt.json", "--json"],
        "sot": ["sot", frames, "--init", "5,5,20,20", "--weights", folder / "w.safetensors", "--json"],
        "bench": ["bench", "boxes", "--drawn", "1", "--json"],
        "weights export": ["weights", "export", folder / "w.safetensors"],
        "export --official-keys": ["weights", "export", "--official-keys", folder / "w.safetensors"],
        "average": ["weights", "average", folder / "w.safetensors", "--out"],
    }


@pytest.mark.parametrize("name", ["evaluate", "sot", "bench", "weights export", "export --official-keys", "average"])
def test_a_full_disk_leaves_the_old_file_and_is_named(tmp_path: Path, full_disk: Callable[[], None], name: str) -> None:
    arguments = commands(tmp_path)[name]
    suffix = {"weights export": "safetensors", "export --official-keys": "pth", "average": "safetensors"}
    target = tmp_path / f"out.{suffix.get(name, 'json')}"
    target.write_text("old")
    full_disk()
    before = sorted(tmp_path.iterdir())
    result = CliRunner().invoke(app, [str(argument) for argument in [*arguments, target]])
    assert isinstance(result.exception, UserError), result.output
    assert "No space left on device" in str(result.exception) and target.name in str(result.exception)
    assert target.read_text() == "old"
    assert sorted(tmp_path.iterdir()) == before


def test_a_full_disk_under_a_training(tmp_path: Path, full_disk: Callable[[], None]) -> None:
    from vis_pipeline.training.checkpoint import TrainingState, save_checkpoint

    network = torch.nn.Linear(2, 2)
    state = TrainingState(network, torch.optim.SGD(network.parameters(), 0.1), "cosine")
    path = tmp_path / "last.pth"
    save_checkpoint(path, 1, state)
    whole = path.read_bytes()
    full_disk()
    with pytest.raises(UserError, match="No space left on device"):
        save_checkpoint(path, 2, state)
    assert path.read_bytes() == whole
    assert [found.name for found in tmp_path.iterdir()] == ["last.pth"]
