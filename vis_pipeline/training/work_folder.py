"""The folder of a training: whether it may begin or go on there, by which settings, and how it shows its progress."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.files.json_files import parsed_json, read_json
from vis_pipeline.files.regular_files import MOST_TEXT
from vis_pipeline.files.whole_files import remove_unfinished, write_text
from vis_pipeline.terminal import echo

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def open_work_folder(work_dir: Path, checkpoint: Path, resume: bool) -> None:
    """Make the folder, and clear it of what a killed process left unfinished.

    Raises:
        ConfigError: it cannot be made, or `checkpoint` is there and `resume` is off.
    """
    try:
        work_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"work folder {work_dir}: cannot be made ({error.strerror})") from error
    if checkpoint.exists() and not resume:
        raise ConfigError(f"work folder {work_dir}: holds a training; give --resume or another --work-dir")
    remove_unfinished(work_dir)


def record_settings(work_dir: Path, settings: "DataclassInstance", resumed: bool) -> None:
    """Write `config.json`; of a resumed training, say first which settings differ from those that it had so far.

    Raises:
        DataError: the file cannot be written.
    """
    record, plain = work_dir / "config.json", plain_settings(settings)
    if resumed:
        _tell_changes(record, plain)
    write_text(record, json.dumps(plain, indent=1))


def how_far(step: int, steps: int, checkpoint: Path) -> str:
    """What a training that is interrupted has kept, and how to go on."""
    if not step:
        return "the training has no checkpoint yet; the same command begins again"
    return f"{step} of {steps} steps are kept in {checkpoint}; the same command with --resume goes on from there"


def plain_settings(settings: "DataclassInstance") -> dict[str, Any]:
    """Settings as JSON has them; paths as texts."""
    record: dict[str, Any] = parsed_json(json.dumps(dataclasses.asdict(settings), default=str))
    return record


def progress_bars() -> Progress:
    """Bars with a name, a count and the field `state`."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, TextColumn("{task.fields[state]}", markup=False))


def _tell_changes(record: Path, settings: dict[str, Any]) -> None:
    try:
        before = read_json(record, MOST_TEXT)
    except DataError:
        return
    before = before if isinstance(before, dict) else {}
    changed = [key for key in settings if settings[key] != before.get(key)]
    if changed:
        echo(f"warning: goes on with other settings than before: {', '.join(changed)}", err=True)
