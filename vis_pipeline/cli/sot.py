"""`vis-pipeline sot`: track one object from a box, with SiamMask or with Siam R-CNN."""

import os
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vis_pipeline.terminal import echo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from vis_pipeline.structures.frames import Footage, Frame
    from vis_pipeline.trackers.followers import FollowerSettings

TRACK_NAME = "track.json"


class Preset(str, Enum):
    """The presets of the official release."""

    davis = "davis"
    vot = "vot"
    vot18 = "vot18"


class Kind(str, Enum):
    """The trackers that follow one object."""

    siammask = "siammask"
    siam_rcnn = "siam_rcnn"


class Selection(str, Enum):
    """The ways to choose among Siam R-CNN's re-detections."""

    tdpa = "tdpa"
    argmax = "argmax"
    short_term = "short_term"


class Looks(str, Enum):
    """What is compared beside what the re-detector's network sees."""

    colours = "colours"
    alike = "alike"


Deterministic = Annotated[
    bool | None,
    typer.Option(
        "--deterministic/--no-deterministic",
        help="On the CPU the same bytes with any number of workers and threads; default: unless precision is fast.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("sot")(sot)


def sot(
    frames: Annotated[Path, typer.Argument(help="A video file, a folder of images, or a pattern in quotes.")],
    init: Annotated[str, typer.Option(help="The object's box in the first frame: x,y,w,h in pixels from 0.")],
    tracker: Annotated[
        Kind, typer.Option(help="SiamMask follows it from frame to frame; Siam R-CNN looks all over every frame.")
    ] = Kind.siammask,
    weights: Annotated[
        str | None,
        typer.Option(
            help="SiamMask: a checkpoint file, a published name, or bundled:NAME. With siam_rcnn it makes the masks; "
            "default there: the detector's mask head."
        ),
    ] = None,
    redetector: Annotated[
        str | None,
        typer.Option(
            help="Re-detector: a checkpoint file or bundled:NAME. With siammask it finds again what is lost; "
            "siam_rcnn cannot do without."
        ),
    ] = None,
    config: Annotated[
        str, typer.Option(help="Pipeline config whose detector the re-detector was trained with.")
    ] = "real_small",
    looks: Annotated[
        Looks,
        typer.Option(
            help="Re-detector: its scores times the likeness of colours, which tell objects of a kind apart, or as "
            "they are."
        ),
    ] = Looks.colours,
    selection: Annotated[Selection, typer.Option(help="siam_rcnn: which re-detection is the object.")] = Selection.tdpa,
    json: Annotated[Path | None, typer.Option(help="The result file to write; --out has one, too.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for track.json, an mp4 with mask, boxes and score, and a contact sheet."),
    ] = None,
    preset: Annotated[Preset, typer.Option(help="Penalties, smoothing and mask threshold.")] = Preset.davis,
    two_stage: Annotated[bool, typer.Option("--two-stage", help="Take the mask from a second crop.")] = False,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:1, ...; by default the GPU if there is one.")
    ] = None,
    deterministic: Deterministic = None,
    cfg_options: Annotated[
        list[str] | None, typer.Option(help="Override a setting of the preset: penalty_k=0.1; repeatable.")
    ] = None,
) -> None:
    """Track one object from its box in the first frame; write its boxes and masks as JSON (--json), draw them (--out).

    `vis-pipeline visualize track.json` draws the same from the JSON.
    """
    from json import dumps

    from rich.progress import track

    from vis_pipeline import __version__
    from vis_pipeline.data.frames import VideoFrames, open_recorded, prefetched
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.settings.device import torch_device

    box = parse_box(init)
    targets = _targets(json, out, frames)
    chosen = torch_device(device)
    source = open_recorded(frames)
    if out is not None:
        from vis_pipeline.files.file_names import file_stem
        from vis_pipeline.visualize.pictures import picture_files

        picture_files(source, out / file_stem(source.name))
    asked = follower_settings(
        "sot", tracker, weights, redetector, config, looks, selection, preset, two_stage, cfg_options, deterministic
    )
    follow = asked.build(chosen).follow
    entries: list[dict[str, Any]] = []
    height = width = 0
    expected = source.declared_length() if isinstance(source, VideoFrames) else source.length
    good = _frames_alone(prefetched(source))
    with asked.computing(chosen):
        for found in track(follow(good, box), "tracking", total=expected):
            name = found.frame.index if isinstance(source, VideoFrames) else found.frame.name
            entries.append(found.to_json(name))
            height, width = found.frame.image.shape[:2]
    content = {
        "version": __version__,
        "source": str(frames.resolve()),
        "height": height,
        "width": width,
        "init": box.tolist(),
        **asked.facts(),
        "frames": entries,
    }
    for target in targets:
        write_text(target, dumps(content))
        echo(f"{len(entries)} frames -> {target}")
    if out is not None:
        from vis_pipeline.cli.visualize import draw_object
        from vis_pipeline.data.object_track import object_track

        draw_object(object_track(content), source, out)


def follower_settings(
    command: str,
    tracker: Kind,
    weights: str | None,
    redetector: str | None,
    config: str,
    looks: Looks,
    selection: Selection,
    preset: Preset,
    two_stage: bool,
    overrides: "Sequence[str] | None",
    deterministic: bool | None = None,
) -> "FollowerSettings":
    """How an object is to be followed, as a command line says it.

    Raises:
        ConfigError: an override is no KEY=VALUE, its key is unknown or given by an option, or its value does not fit.
    """
    from vis_pipeline.errors import ConfigError
    from vis_pipeline.settings.config import parse, parse_options
    from vis_pipeline.trackers.followers import FollowerSettings

    given: dict[str, Any] = {
        "tracker": tracker.value,
        "weights": weights,
        "redetector": redetector,
        "config": config,
        "looks": looks.value,
        "selection": selection.value,
        "preset": preset.value,
        "stages": 2 if two_stage else 1,
        "deterministic": deterministic,
    }
    changed = parse_options(overrides or ())
    for key in changed.keys() & given.keys():
        raise ConfigError(f"{command}: --cfg-options {key}: has an option of its own; give that")
    return parse(FollowerSettings, {**given, **changed}, command)


def _frames_alone(footage: "Iterable[Footage]") -> "Iterator[Frame]":
    """The frames; remarks become warnings."""
    from vis_pipeline.structures.frames import Frame, Remark

    for item in footage:
        if isinstance(item, Remark):
            echo(f"warning: {item.text}", err=True)
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


def _targets(json: "Path | None", out: "Path | None", frames: Path) -> list[Path]:
    """The result files to write, in folders that can be written to.

    Raises:
        ConfigError: neither a file nor a folder is given.
        DataError: nothing can be written there, or the video itself lies there.
    """
    from vis_pipeline.errors import ConfigError, DataError

    if json is None and out is None:
        raise ConfigError("sot: nothing to write; give --json FILE, --out FOLDER or both")
    targets = []
    if json is not None:
        if not json.parent.is_dir():
            raise DataError(f"--json {json}: there is no folder {json.parent}; make it first")
        if json.is_dir() or not os.access(json.parent, os.W_OK):
            raise DataError(f"--json {json}: cannot be written; give another file")
        if json.exists() and frames.exists() and json.samefile(frames):
            raise DataError(f"--json {json}: is the video itself; give another file")
        targets.append(json)
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"--out {out}: cannot be made ({error.strerror}); give another folder") from error
        if not os.access(out, os.W_OK):
            raise DataError(f"--out {out}: cannot be written; give another folder")
        targets.append(out / TRACK_NAME)
    return targets
