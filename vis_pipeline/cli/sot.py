"""`vis-pipeline sot`: track one object from a box, with SiamMask alone."""

import os
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from vis_pipeline.data.frames import Footage, Frame


class Preset(str, Enum):
    """The presets of the official release."""

    davis = "davis"
    vot = "vot"
    vot18 = "vot18"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("sot")(sot)


def sot(
    frames: Annotated[Path, typer.Argument(help="A folder of images, or a video file.")],
    init: Annotated[str, typer.Option(help="The object's box in the first frame: x,y,w,h in pixels from 0.")],
    weights: Annotated[str, typer.Option(help="A checkpoint file, a published name, or bundled:NAME.")],
    json: Annotated[Path, typer.Option(help="The result file to write.")],
    preset: Annotated[Preset, typer.Option(help="Penalties, smoothing and mask threshold.")] = Preset.davis,
    two_stage: Annotated[bool, typer.Option("--two-stage", help="Take the mask from a second crop.")] = False,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:1, ...; by default the GPU if there is one.")
    ] = None,
) -> None:
    """Track one object from its box in the first frame and write its boxes and masks as JSON."""
    from dataclasses import replace
    from json import dumps

    from rich.progress import track

    from vis_pipeline.data.frames import VideoFrames, open_frames, prefetched
    from vis_pipeline.device import torch_device
    from vis_pipeline.siammask.checkpoint import load_siammask
    from vis_pipeline.siammask.presets import PRESETS
    from vis_pipeline.siammask.single_object import track_object
    from vis_pipeline.siammask.tracker import SiamMaskTracker
    from vis_pipeline.weights.registry import resolve
    from vis_pipeline.whole_files import write_text

    box = parse_box(init)
    _require_folder(json)
    chosen = torch_device(device)
    source = open_frames(frames)
    tracker = SiamMaskTracker(
        load_siammask(resolve(weights), chosen), replace(PRESETS[preset.value], stages=2 if two_stage else 1), chosen
    )
    entries: list[dict[str, Any]] = []
    good = _frames_alone(prefetched(source))
    for found in track(track_object(tracker, good, box), "tracking", total=source.length):
        name = found.frame.index if isinstance(source, VideoFrames) else found.frame.name
        entries.append(found.to_json(name))
    write_text(json, dumps({"frames": entries}))
    typer.echo(f"{len(entries)} frames -> {json}")


def _frames_alone(footage: "Iterable[Footage]") -> "Iterator[Frame]":
    """The frames; remarks become warnings."""
    from vis_pipeline.data.frames import Frame, Remark

    for item in footage:
        if isinstance(item, Remark):
            typer.echo(f"warning: {item.text}", err=True)
        elif isinstance(item, Frame):
            yield item


def parse_box(text: str) -> "NDArray[np.float64]":
    """Read `x,y,w,h` as float64 [4].

    Raises:
        ConfigError: not four finite numbers, or a width or height that is not above 0.
    """
    import numpy as np

    from vis_pipeline.errors import ConfigError

    try:
        box = np.array([float(part) for part in text.split(",")])
    except ValueError as error:
        raise ConfigError(f"--init {text}: not four numbers x,y,w,h") from error
    if box.shape != (4,) or not np.isfinite(box).all():
        raise ConfigError(f"--init {text}: not four numbers x,y,w,h")
    if (box[2:] <= 0).any():
        raise ConfigError(f"--init {text}: width and height must be above 0")
    return box


def _require_folder(path: Path) -> None:
    from vis_pipeline.errors import DataError

    if not path.parent.is_dir():
        raise DataError(f"--json {path}: there is no folder {path.parent}; make it first")
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise DataError(f"--json {path}: cannot be written; give another file")
