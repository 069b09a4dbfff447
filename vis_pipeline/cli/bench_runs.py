"""`vis-pipeline bench runs`: what Ray costs and what it brings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from vis_pipeline.bench.drawn_videos import DrawnVideos
    from vis_pipeline.bench.runs import RunCost
    from vis_pipeline.structures.splits import Category


def runs(
    config: Annotated[str, typer.Option(help="Pipeline config.")] = "procedural_small",
    split: Annotated[Path | None, typer.Option(help="YouTube-VIS split; default: drawn videos, made for this.")] = None,
    frames: Annotated[Path | None, typer.Option(help="Folder that the split's file names start from.")] = None,
    videos: Annotated[int, typer.Option(min=1, help="Videos to draw.")] = 16,
    length: Annotated[int, typer.Option(min=1, help="Frames of each.")] = 30,
    size: Annotated[str, typer.Option(help="Of their frames, WIDTHxHEIGHT.")] = "320x192",
    objects: Annotated[int, typer.Option(min=1, help="Objects in each.")] = 3,
    tracker_only: Annotated[
        bool, typer.Option("--tracker-only", help="The true masks in place of the detector.")
    ] = False,
    workers: Annotated[str, typer.Option(help="How many workers Ray is given, with commas.")] = "1,2",
    repeats: Annotated[int, typer.Option(min=1, help="How often each runs, in turn.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of the drawn videos.")] = 0,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; default: cuda where there is one.")] = None,
    cfg_options: Annotated[list[str] | None, typer.Option(help="Override a config key: a.b=value; repeatable.")] = None,
) -> None:
    """Run one split in a plain loop and by Ray with some workers, each in a process of its own, and say what it costs.

    *frames/s*: from the first video to the last, medians of the repeats, which take turns; *ratio*: to the plain loop;
    *first*: seconds from the start of the process to its first frame; *a video*: milliseconds that a video costs a
    worker besides its frames; *whole*: seconds of the whole process; *again*: the same where all is finished already.
    """
    import json
    import os
    import tempfile
    from dataclasses import asdict, replace

    import torch
    from rich.status import Status

    from vis_pipeline.bench.drawn_videos import DISK, draw_split
    from vis_pipeline.bench.runs import Job, compare
    from vis_pipeline.bench.simulated_detections import DetectorFaults, simulate
    from vis_pipeline.data.splits import read_split
    from vis_pipeline.errors import ConfigError, DataError
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.runs.settings import load_pipeline
    from vis_pipeline.runs.start import RecordedSource, RunOptions
    from vis_pipeline.settings.cores import cores
    from vis_pipeline.settings.device import torch_device
    from vis_pipeline.terminal import Terminal

    if (split is None) != (frames is None):
        raise ConfigError("--split and --frames go together")
    if json_out is not None and not json_out.parent.is_dir():
        raise ConfigError(f"--json {json_out}: there is no folder {json_out.parent}")
    counts, drawn = _counts(workers), _drawn(videos, length, size, objects)
    settings = load_pipeline(config, cfg_options or ())
    options = RunOptions(device=device or torch_device(None).type, seed=seed)
    with tempfile.TemporaryDirectory() as name, Status("drawing", console=Terminal(stderr=True)) as status:
        folder = Path(name)
        if split is None or frames is None:
            categories: Sequence[Category] = (DISK,)
            if not tracker_only:
                settings = replace(settings, detector=replace(settings.detector, class_map="by-name"))
                categories = settings.detector.categories()
            draw_split(folder / "split", drawn, seed, categories)
            split, frames = folder / "split" / "instances.json", folder / "split" / "JPEGImages"
        truth = read_split(split)
        if tracker_only:
            try:
                found = simulate(truth, DetectorFaults(drop=0.0), seed)
            except DataError as error:
                raise DataError(f"split {split}: {error}") from error
            write_text(folder / "detections.json", json.dumps(found))
            options = RunOptions(
                device=options.device, seed=seed, recorded=RecordedSource(folder / "detections.json", None)
            )
        costs = compare(Job(settings, split, frames, options), counts, repeats, folder / "runs", status.update)
    console = Terminal(width=100)
    lengths = [video.length for video in truth.videos]
    console.print(_table(f"{len(lengths)} videos, {sum(lengths)} frames", costs))
    circumstances = {"device": options.device, "cores": cores(), "torch": torch.__version__, "config": config}
    load = os.getloadavg()[0]
    console.print(
        "; ".join(f"{key} {value}" for key, value in circumstances.items())
        + f"; load of the machine in the last minute {load:.1f}",
        highlight=False,
    )
    if json_out is not None:
        content = {**circumstances, "load": load, "videos": len(lengths), "frames": sum(lengths), "repeats": repeats}
        write_text(json_out, json.dumps({**content, "runs": [asdict(cost) for cost in costs]}, indent=1) + "\n")


def _counts(workers: str) -> list[int]:
    from vis_pipeline.errors import ConfigError

    parts = [part.strip() for part in workers.split(",") if part.strip()]
    wrong = next((part for part in parts if not (part.isdecimal() and int(part))), None)
    if wrong is not None or not parts:
        raise ConfigError(f"--workers {wrong or workers}: not numbers above 0, as in 1,2")
    return list(dict.fromkeys(map(int, parts)))


def _drawn(videos: int, length: int, size: str, objects: int) -> "DrawnVideos":
    from vis_pipeline.bench.drawn_videos import DrawnVideos
    from vis_pipeline.errors import ConfigError

    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= 32):
        raise ConfigError(f"--size {size}: not WIDTHxHEIGHT, at least 32x32, as in 320x192")
    return DrawnVideos(videos, length, int(width), int(height), objects)


def _table(title: str, costs: "Sequence[RunCost]") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True)
    for name in ("frames/s", "slowest-fastest", "ratio", "first, s", "a video, ms", "whole, s", "again, s"):
        table.add_column(name, justify="right", no_wrap=True)
    for cost in costs:
        table.add_row(
            cost.name,
            f"{cost.frames_per_second:.2f}",
            f"{cost.slowest:.2f}-{cost.fastest:.2f}",
            f"{cost.frames_per_second / costs[0].frames_per_second:.2f}",
            f"{cost.before:.1f}",
            f"{1000 * cost.per_video:.1f}",
            f"{cost.whole:.1f}",
            f"{cost.again:.1f}",
        )
    return table
