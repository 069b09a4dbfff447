"""`vis-pipeline bench followers` and `bench patches`: trackers of one object side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from vis_pipeline.bench.followers import Contender, Standing
    from vis_pipeline.structures.splits import Split

Weights = Annotated[
    list[str],
    typer.Argument(
        help="[NAME=]WEIGHTS[:REPORT], one or more: a file, a published name or bundled:NAME, and mask, box or score; "
        "by default the most that the weights have."
    ),
]
SplitFile = Annotated[Path, typer.Option(help="YouTube-VIS split with annotations; `davis-to-vis` makes one.")]
Frames = Annotated[Path, typer.Option(help="Folder that the split's file names start from.")]
Only = Annotated[str | None, typer.Option(help="Names of videos, with commas; default: all.")]
Preset = Annotated[str, typer.Option(help="davis, vot or vot18.")]
JsonOut = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; default: cuda where there is one.")]


def followers(
    weights: Weights,
    split: SplitFile,
    frames: Frames,
    only: Only = None,
    preset: Preset = "vot",
    json_out: JsonOut = None,
    device: Device = None,
) -> None:
    """Follow each object of a split from the true box of its first frame with each tracker, one object at a time.

    *upright*: mean overlap of the tracker's own box with the upright box around the true mask; *rotated*: of its
    rotated box with the least rectangle around it, and the share of the frames that reach 0.5 and 0.7; *J*: of its
    masks. Trackers take turns at every object; *frames/s* is what each reached.
    """
    import json
    from dataclasses import asdict

    from vis_pipeline.bench.followers import compare, true_objects
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.terminal import Terminal

    truth = _truth(split, only)
    found = compare(_contenders(weights, preset, device), true_objects(truth, frames))
    Terminal(width=110).print(_standings(found))
    if json_out is not None:
        write_text(json_out, json.dumps([asdict(row) for row in found], indent=1) + "\n")


def patches(
    weights: Weights,
    split: SplitFile,
    frames: Frames,
    only: Only = None,
    count: Annotated[int, typer.Option(min=1, help="Patches of each object, each in a frame of its own.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the frames, shifts and scales.")] = 0,
    preset: Preset = "vot",
    json_out: JsonOut = None,
    device: Device = None,
) -> None:
    """Compare the boxes that trackers make in search patches cut at random around the object: extent without tracking.

    *mIoU* with the least rectangle around the true mask; *AP.5* and *AP.7*: the part of the patches that reaches that.
    The oracles know the true box. A tracker with masks has a row for each way to make a box of one.
    """
    import json
    from dataclasses import asdict

    from vis_pipeline.bench.followers import true_objects
    from vis_pipeline.bench.patches import compare_on_patches
    from vis_pipeline.cli.bench_boxes import quality_table
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.terminal import Terminal

    truth = _truth(split, only)
    rows = compare_on_patches(_contenders(weights, preset, device), true_objects(truth, frames), count, seed)
    Terminal(width=110).print(quality_table(f"{rows[0].masks} patches", rows))
    if json_out is not None:
        write_text(json_out, json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def _truth(split: Path, only: str | None) -> "Split":
    from vis_pipeline.cli.videos_named import videos_named
    from vis_pipeline.data.splits import read_split

    return videos_named(read_split(split), only)


def _contenders(weights: Sequence[str], preset: str, device: str | None) -> "list[Contender]":
    """The trackers.

    Raises:
        ConfigError: two have one name, the preset is unknown, or one has no branch for what it is to report.
        WeightsError: weights are missing or do not fit.
    """
    from vis_pipeline.errors import ConfigError

    found = [_contender(text, preset, device) for text in weights]
    names = [contender.name for contender in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"two trackers are called {twice}; give them names, NAME=WEIGHTS")
    return found


def _contender(text: str, preset: str, device: str | None) -> "Contender":
    from dataclasses import replace

    from vis_pipeline.bench.followers import Contender
    from vis_pipeline.errors import ConfigError
    from vis_pipeline.settings.device import torch_device
    from vis_pipeline.trackers.siammask.opening import open_predictor
    from vis_pipeline.trackers.siammask.settings import PRESETS, Report
    from vis_pipeline.weights.registry import resolve

    if preset not in PRESETS:
        raise ConfigError(f"--preset {preset}: is none of {', '.join(PRESETS)}")
    given, named, rest = text.partition("=")
    reference = rest if named else text
    before, _, last = reference.rpartition(":")
    report = last if before and last in get_args(Report) else None
    path = resolve(before if report else reference)
    settings = replace(PRESETS[preset], report=report)  # type: ignore[arg-type]
    predictor = open_predictor(path, settings, torch_device(device))
    return Contender(given if named else path.stem, predictor)


def _standings(rows: "list[Standing]") -> "Table":
    from rich import box
    from rich.table import Table

    title = f"{rows[0].frames} frames"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("reports", no_wrap=True)
    for name in ("upright", "rotated", "at 0.5", "at 0.7", "J", "frames/s"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        shares = [row.upright, row.rotated, row.at_half, row.at_seventy, row.region]
        cells = ["" if value is None else f"{100 * value:.1f}" for value in shares]
        table.add_row(row.name, row.report, *cells, f"{row.frames_per_second:.1f}")
    return table
