"""Records of a training: one JSON object a line, each with its `step`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vis_pipeline.files.json_files import parsed_json
from vis_pipeline.files.json_stream import DamagedJsonError
from vis_pipeline.files.regular_files import read_text
from vis_pipeline.files.whole_files import write_text


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a record, without one that a kill cut short; none where there is no file."""
    found: list[dict[str, Any]] = []
    if path.is_file():
        for line in read_text(path).splitlines():
            try:
                found.append(parsed_json(line))
            except DamagedJsonError:
                break
    return found


def keep_before(path: Path, step: int) -> None:
    """Drop the lines of `step` and later ones; no file stays no file.

    Raises:
        DataError: the disk takes no more.
    """
    if path.is_file():
        lines = [line for line in read_lines(path) if line["step"] < step]
        write_text(path, "".join(json.dumps(line) + "\n" for line in lines))


def append_line(path: Path, line: Mapping[str, Any]) -> None:
    """Add one line; OSError where the disk takes no more."""
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
