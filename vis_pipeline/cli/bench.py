"""`vis-pipeline bench`: measurements that a user can repeat."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vis_pipeline.cli.bench_boxes import boxes
from vis_pipeline.cli.bench_faults import faults
from vis_pipeline.cli.bench_memory import memory
from vis_pipeline.cli.bench_objects import objects
from vis_pipeline.cli.bench_runs import runs
from vis_pipeline.cli.bench_sot import sot, tune_sot
from vis_pipeline.cli.bench_trackers import followers, patches
from vis_pipeline.cli.comparisons import ablation, tune
from vis_pipeline.cli.sot import Looks
from vis_pipeline.cli.speed import speed
from vis_pipeline.cli.videos_named import videos_named

if TYPE_CHECKING:
    from rich.table import Table

    from vis_pipeline.bench.evaluator import Timing
    from vis_pipeline.bench.redetector import KnownAgain
    from vis_pipeline.bench.synthetic_results import Workload
    from vis_pipeline.bench.tdpa import FrameResult, Scene
    from vis_pipeline.bench.tracker import FollowedObject

_SHEET_PAIRS = 24


def register(app: typer.Typer) -> None:
    """Add the commands."""
    bench = typer.Typer(help="Measurements.", no_args_is_help=True)
    bench.command("ablation")(ablation)
    bench.command("tune")(tune)
    bench.command("evaluator")(evaluator)
    bench.command("detector")(detector)
    bench.command("tracker")(tracker)
    bench.command("redetector")(redetector)
    bench.command("pairs")(pairs)
    bench.command("tdpa")(tdpa)
    bench.command("boxes")(boxes)
    bench.command("followers")(followers)
    bench.command("patches")(patches)
    bench.command("sot")(sot)
    bench.command("tune-sot")(tune_sot)
    bench.command("memory")(memory)
    bench.command("faults")(faults)
    bench.command("objects")(objects)
    bench.command("speed")(speed)
    bench.command("runs")(runs)
    bench.callback()(_bench)
    app.add_typer(bench, name="bench")


def _bench() -> None:
    """Measurements."""


def evaluator(
    videos: Annotated[int, typer.Option(min=2, help="At most so many videos in each case.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Of the made-up tracks.")] = 0,
) -> None:
    """Time the evaluator against the official procedure written plainly, by stages, and as the work grows.

    Sizes are videos x frames x predictions. Times: *load*, the JSON by Python's own module; *read*, our reading of it
    with every check; *parse* and *IoU*, run-lengths to arrays and the IoU of all pairs, on one core; *match*; *ours*,
    all after reading on all cores; *plain*, the same by the official procedure; *ratio*, plain to ours. With few videos
    less is gained.
    """
    import tempfile
    from dataclasses import replace

    from vis_pipeline.bench.evaluator import growth, peak_memory, timed_cases
    from vis_pipeline.bench.synthetic_results import Workload
    from vis_pipeline.terminal import Terminal

    console = Terminal()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = _evaluator_table("case", "Milliseconds")
        for case, work, timing in timed_cases(videos, seed, folder):
            table.add_row(case, *_evaluator_cells(work, timing))
        console.print(table)
        table = _evaluator_table("grows", "Milliseconds as the work grows (one class)")
        for field, work, timing in growth(max(videos // 4, 2), seed, folder):
            table.add_row(field, *_evaluator_cells(work, timing))
        console.print(table)
        for stretch in (0.25, 1.0):
            work = replace(Workload(videos=20), stretch=stretch)
            pixels, peak = peak_memory(work, seed, folder)
            console.print(
                f"masks of {pixels:,.0f} pixels: at most {peak / 1e6:.1f} MB beyond what was read (20 videos)"
            )


def _evaluator_table(first: str, title: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column(first, no_wrap=True)
    for name in ("size", "load", "read", "parse", "IoU", "match", "ours", "plain", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _evaluator_cells(work: "Workload", timing: "Timing") -> list[str]:
    """Videos x frames x predictions, then the times as the table names them."""
    measured = [timing.loading, timing.reading, timing.parse, timing.intersect, timing.match, timing.ours]
    compared = ["", ""]
    if timing.plain is not None:
        measured.append(timing.plain)
        compared = [f"{timing.plain / timing.ours:.1f}"]
    size = f"{work.videos} x {work.frames} x {work.predictions}"
    return [size, *(f"{1000 * seconds:.0f}" for seconds in measured), *compared]


def pairs(
    config: Annotated[str, typer.Argument(help="Tracker training config: a file, or a name inside the packaged ones.")],
    batches: Annotated[int, typer.Option(min=1, help="How many batches are cut, twice.")] = 20,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; default: cuda where there is one.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Picture of the first pairs to write: a PNG file.")] = None,
    cfg_options: Annotated[list[str] | None, typer.Option(help="Override a config key: a.b=value; repeatable.")] = None,
) -> None:
    """Time the drawing and cutting of training pairs, without a network, and look at some of them."""
    from rich.table import Table

    from vis_pipeline.bench.pairs import PairBench
    from vis_pipeline.errors import ConfigError
    from vis_pipeline.settings.config import load_config, parse
    from vis_pipeline.settings.device import torch_device
    from vis_pipeline.terminal import Terminal
    from vis_pipeline.training.tracker.settings import TrackerTraining
    from vis_pipeline.visualize.frame_files import write_png
    from vis_pipeline.visualize.pair_sheet import pair_sheet

    if sheet is not None and not sheet.parent.is_dir():
        raise ConfigError(f"--sheet {sheet}: there is no folder {sheet.parent}")
    settings = parse(TrackerTraining, load_config(config, cfg_options or ()), f"config {config}")
    measured = PairBench(settings, torch_device(device), batches)
    if sheet is not None:
        write_png(sheet, pair_sheet(measured.sample(_SHEET_PAIRS)))
    table = Table("cutting", "frames from disk", "frames kept", title="Pairs a second")
    for rate in measured.speeds():
        table.add_row(rate.way, f"{rate.first:,.0f}", f"{rate.again:,.0f}")
    console = Terminal(width=120)
    console.print(table)
    console.print(f"drawn: {measured.drawing:,.0f} pairs a second", highlight=False)


def detector(
    split: Annotated[Path, typer.Option(help="YouTube-VIS split with annotations.")],
    frames: Annotated[Path, typer.Option(help="Folder that the split's file names start from.")],
    config: Annotated[str, typer.Option(help="Pipeline config whose detector is scored.")] = "procedural_small",
    every: Annotated[int, typer.Option(min=1, help="One in so many frames of each video is scored.")] = 1,
    only: Annotated[str | None, typer.Option(help="Names of videos, with commas; default: all.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; default: cuda where there is one.")] = None,
    cfg_options: Annotated[list[str] | None, typer.Option(help="Override a config key: a.b=value; repeatable.")] = None,
) -> None:
    """Score a pipeline's detector alone: mask AP of single frames, as the protocol scores videos of length 1."""
    import json

    from rich.progress import Progress

    from evaluation.tables import category_table, headline_table
    from evaluation.youtube_vis import evaluate
    from vis_pipeline.bench.detector import detect_split
    from vis_pipeline.data.single_frames import as_single_frames
    from vis_pipeline.data.splits import read_split
    from vis_pipeline.errors import DataError
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.runs.settings import load_pipeline
    from vis_pipeline.settings.device import torch_device
    from vis_pipeline.terminal import Terminal

    settings = load_pipeline(config, cfg_options or ()).detector
    truth = as_single_frames(videos_named(read_split(split), only), every)
    if truth.annotations is None:
        raise DataError(f"split {split}: a test form without ground truth; give one with annotations")
    found = []
    model = settings.build(truth.categories, torch_device(device))
    with Progress(*Progress.get_default_columns(), console=Terminal(stderr=True)) as progress:
        task = progress.add_task("frames", total=len(truth.videos))
        for count, results in detect_split(model, truth, frames, settings.batch_size):
            found += results
            progress.advance(task, count)
    scores = evaluate(found, truth)
    Terminal().print(headline_table(scores), category_table(scores))
    if json_out is not None:
        write_text(json_out, json.dumps(scores.to_json(), indent=1) + "\n")


def tracker(
    weights: Annotated[str, typer.Argument(help="SiamMask weights: a file, a published name, or bundled:NAME.")],
    split: Annotated[Path, typer.Option(help="YouTube-VIS split with annotations; `davis-to-vis` makes one.")],
    frames: Annotated[Path, typer.Option(help="Folder that the split's file names start from.")],
    only: Annotated[str | None, typer.Option(help="Names of videos, with commas; default: all.")] = None,
    preset: Annotated[str, typer.Option(help="davis, vot or vot18.")] = "davis",
    precision: Annotated[str, typer.Option(help="exact or fast.")] = "exact",
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; default: cuda where there is one.")] = None,
) -> None:
    """Follow each object from the true box of its first frame with SiamMask alone, in one stage and in two: J and F.

    Means over the objects of a video, and over all objects.
    """
    import json
    from dataclasses import asdict

    from vis_pipeline.bench.tracker import follow_split
    from vis_pipeline.data.splits import read_split
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.settings.config import parse
    from vis_pipeline.settings.device import torch_device
    from vis_pipeline.terminal import Terminal
    from vis_pipeline.trackers.choices import SiamMaskChoice
    from vis_pipeline.trackers.siammask.checkpoint import load_segmenting
    from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
    from vis_pipeline.weights.registry import resolve

    given = {"checkpoint": weights, "preset": preset, "precision": precision}
    choices = {stages: parse(SiamMaskChoice, {**given, "stages": stages}, "bench tracker") for stages in (1, 2)}
    chosen = torch_device(device)
    network = load_segmenting(resolve(weights), chosen)
    truth = videos_named(read_split(split), only)
    found = {}
    for stages, choice in choices.items():
        followed = SiamMaskPredictor(network, choice.settings(), chosen)
        found[stages] = list(follow_split(followed, truth, frames))
    Terminal().print(_tracker_table(found))
    if json_out is not None:
        content = {f"stages_{stages}": [asdict(entry) for entry in entries] for stages, entries in found.items()}
        write_text(json_out, json.dumps(content, indent=1) + "\n")


def redetector(
    weights: Annotated[str, typer.Argument(help="Re-detector weights: a file, or bundled:NAME.")],
    split: Annotated[Path, typer.Option(help="YouTube-VIS split with annotations.")],
    frames: Annotated[Path, typer.Option(help="Folder that the split's file names start from.")],
    config: Annotated[str, typer.Option(help="Pipeline config of the detector that it was trained with.")],
    every: Annotated[int, typer.Option(min=1, help="One in so many frames of each video is looked at.")] = 2,
    limit: Annotated[int, typer.Option(min=1, help="Pairs of each kind at most; a fifth as many searches.")] = 2000,
    only: Annotated[str | None, typer.Option(help="Names of videos, with commas; default: all.")] = None,
    looks: Annotated[Looks, typer.Option(help="Scores times the likeness of colours, or as they are.")] = Looks.alike,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; default: cuda where there is one.")] = None,
    cfg_options: Annotated[list[str] | None, typer.Option(help="Override a config key: a.b=value; repeatable.")] = None,
) -> None:
    """Ask a re-detector alone: does it tell an object from others of its class, and find it in the whole frame?

    AUC: an object with itself in another frame, against others of its class in the same video or in other videos.
    """
    import json
    from dataclasses import asdict

    from vis_pipeline.bench.redetector import know_again
    from vis_pipeline.data.splits import read_split
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.runs.settings import load_pipeline
    from vis_pipeline.settings.config import parse
    from vis_pipeline.settings.device import torch_device
    from vis_pipeline.terminal import Terminal
    from vis_pipeline.trackers.siam_rcnn.checkpoint import load_redetector
    from vis_pipeline.trackers.siam_rcnn.settings import RedetectionSettings
    from vis_pipeline.weights.registry import resolve

    chosen = torch_device(device)
    truth = videos_named(read_split(split), only)
    source = load_pipeline(config, cfg_options or ()).detector.region_source(chosen)
    network = load_redetector(resolve(weights), device=chosen)
    compared = parse(RedetectionSettings, {"looks": looks.value}, "bench redetector")
    found = know_again(network, source, truth, frames, every, limit, compared)
    Terminal().print(_redetector_table(found))
    if json_out is not None:
        write_text(json_out, json.dumps([asdict(entry) for entry in found], indent=1) + "\n")


def _redetector_table(found: "list[KnownAgain]") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(title="Known again", box=box.SIMPLE_HEAD)
    for name in ("frames apart", "pairs", "score", "AUC\nsame video", "AUC\nother videos", "searched", "found"):
        table.add_column(name, justify="right", no_wrap=True)
    for entry in found:
        low, high = entry.gap
        gap = f"{low} or more" if high is None else f"{low} to {high}"
        figures = [f"{value:.3f}" for value in (entry.same, entry.auc_video, entry.auc_others)]
        table.add_row(gap, str(entry.pairs), *figures, str(entry.searched), f"{entry.found:.3f}")
    return table


def tdpa(
    cases: Annotated[Path, typer.Argument(help="Scenes of boxes and vectors: a JSON file.")],
    json_out: Annotated[
        Path | None, typer.Option("--json", help="Write what each frame after the first shows to this file.")
    ] = None,
) -> None:
    """Choose the target among re-detections in given scenes, as Siam R-CNN's dynamic programming does.

    A scene lists the boxes of each frame with a vector for each; how alike two vectors are stands for the network's
    score. *present*: frames after the first that show the target; *tracklets*: how many there were in the end; *as
    expected*: frames that show what the file expects of them.
    """
    import json
    from dataclasses import asdict

    from vis_pipeline.bench.tdpa import follow, read_scenes
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.terminal import Terminal
    from vis_pipeline.trackers.siam_rcnn.settings import TdpaSettings

    scenes = read_scenes(cases)
    found = [follow(scene, TdpaSettings()) for scene in scenes]
    Terminal().print(_tdpa_table(scenes, found))
    if json_out is not None:
        content = {"cases": [{"frames": [asdict(result) for result in results]} for results in found]}
        write_text(json_out, json.dumps(content, indent=1) + "\n")


def _tdpa_table(scenes: "Sequence[Scene]", found: "Sequence[tuple[FrameResult, ...]]") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(title="Tracklet dynamic programming", box=box.SIMPLE_HEAD)
    for name in ("case", "frames", "detections", "present", "tracklets", "as expected"):
        table.add_column(name, justify="right", no_wrap=True)
    for number, (scene, results) in enumerate(zip(scenes, found, strict=True)):
        expected = ""
        if scene.expected is not None:
            same = sum(result.same(other) for result, other in zip(results, scene.expected, strict=True))
            expected = f"{same} of {len(results)}"
        present = sum(result.present for result in results)
        tracklets = results[-1].tracklets if results else 1
        counts = (number, len(scene.frames), scene.detections, present, tracklets)
        table.add_row(*map(str, counts), expected)
    return table


def _tracker_table(found: "dict[int, list[FollowedObject]]") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(title="SiamMask from the first box", box=box.SIMPLE_HEAD)
    table.add_column("video", overflow="fold")
    for name in ("objects", "J\none-stage", "F\none-stage", "J\ntwo-stage", "F\ntwo-stage"):
        table.add_column(name, justify="right", no_wrap=True)
    for video in dict.fromkeys(entry.video for entry in found[1]):
        table.add_row(video, *_tracker_cells([[e for e in found[s] if e.video == video] for s in (1, 2)]))
    table.add_section()
    table.add_row("all objects", *_tracker_cells([found[1], found[2]]), style="bold")
    return table


def _tracker_cells(stages: "list[list[FollowedObject]]") -> list[str]:
    import numpy as np

    means = [np.mean([(entry.J.mean, entry.F.mean) for entry in entries], axis=0) for entries in stages]
    return [str(len(stages[0])), *(f"{value:.3f}" for pair in means for value in pair)]
