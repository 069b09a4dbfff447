"""`vis-pipeline bench speed`: the plain composition, ours and the whole engine, timed on the same work."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    import torch
    from rich.table import Table

    from detectors.base import Detector
    from vis_pipeline.bench.contenders import Contender
    from vis_pipeline.bench.speed import Comparison
    from vis_pipeline.bench.stock_detector import StockDetector
    from vis_pipeline.runs.settings import PipelineSettings
    from vis_pipeline.trackers.choices import SiamMaskChoice

# The columns of the steps, in milliseconds a frame.
_STEPS = {
    "detect": "detect",
    "locate": "stage 1",
    "segment": "mask",
    "paste": "paste",
    "associate": "assoc.",
    "encode": "encode",
}


@dataclass(frozen=True)
class _Case:
    """What is timed: N objects in frames of a size, by so many stages."""

    width: int
    height: int
    objects: int
    stages: Literal[1, 2]


def speed(
    config: Annotated[str, typer.Option(help="Pipeline config whose detector and SiamMask are timed.")] = "real_small",
    tracker_only: Annotated[bool, typer.Option("--tracker-only", help="Without the detector.")] = False,
    weights: Annotated[
        str | None, typer.Option(help="Other SiamMask weights: a file, a published name, or bundled:NAME.")
    ] = None,
    objects: Annotated[str, typer.Option(help="How many objects there are, with commas.")] = "1,5,10,20,50",
    sizes: Annotated[str, typer.Option(help="Sizes of the frames, WIDTHxHEIGHT, with commas.")] = "640x360,1280x720",
    stages: Annotated[str, typer.Option(help="1 (the mask from the search crop), 2 (from a second crop), or 1,2.")] = (
        "1,2"
    ),
    frames: Annotated[int, typer.Option(min=1, help="Frames that are timed, after the one where objects begin.")] = 8,
    repeats: Annotated[int, typer.Option(min=1, help="How often each is timed, in turn.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of the drawn frames and of the boxes.")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; default: cuda where there is one.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")] = None,
    profile: Annotated[bool, typer.Option("--profile", help="Print what the time goes into, by PyTorch.")] = False,
    cfg_options: Annotated[list[str] | None, typer.Option(help="Override a config key: a.b=value; repeatable.")] = None,
) -> None:
    """Time the stock composition, ours, and the whole engine on the same drawn frames, weights, boxes and detections.

    *stock*: mmdet's inference_detector frame by frame, SiamMask an object and a stage at a time with OpenCV's crops,
    the assignment on whole-frame masks; *ours*: the same procedure, all objects in one batch; *engine*: what a run
    does, which is more: templates anew, colours, births and deaths, run-lengths. Stock is in
    float32, the others in the tracker's `precision`.

    Frames a second are medians of the repeats, which take turns, with the slowest and the fastest. Milliseconds a frame
    by steps come from a pass of their own: *stage 1*, crop, network and choice of the box; *mask*, with two stages the
    second crop and its network; *rest*, what is left of the frame, with *engine* the templates above all.
    """
    import json

    from rich.status import Status

    from vis_pipeline.bench.speed import compare, peak_of_process, profiled
    from vis_pipeline.bench.speed_scene import drawn_frames, placed_boxes, scene
    from vis_pipeline.errors import ConfigError
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.runs.settings import load_pipeline
    from vis_pipeline.settings.device import torch_device
    from vis_pipeline.terminal import Terminal

    if json_out is not None and not json_out.parent.is_dir():
        raise ConfigError(f"--json {json_out}: there is no folder {json_out.parent}")
    settings = load_pipeline(config, cfg_options or ())
    chosen = torch_device(device)
    cases = _cases(sizes, objects, stages)
    tracked = _siammask(settings, config, weights)
    for case in cases:  # before anything is timed: is there room for every number?
        placed_boxes(case.width, case.height, case.objects, seed)
    drawn = {size: drawn_frames(*size, frames + 1, seed) for size in {(case.width, case.height) for case in cases}}
    detectors = (None, None) if tracker_only else _detectors(settings, chosen)
    contenders = {
        number: _contenders(settings, tracked, number, chosen, detectors)
        for number in sorted({case.stages for case in cases})
    }
    console = Terminal()
    written: list[dict[str, Any]] = []
    for (width, height, number), group in _grouped(cases):
        table = _table(f"{width}x{height}, {'two stages' if number == 2 else 'one stage'}", chosen, tracker_only)
        apart = []
        profiles = []
        with Status("", console=Terminal(stderr=True)) as status:
            for case in group:
                status.update(f"{width}x{height}, {case.objects} objects")
                work = scene(drawn[width, height], case.objects, seed)
                found = compare(contenders[number], work, repeats, chosen)
                _add_rows(table, case, found, chosen, tracker_only)
                apart.append(found.agreement)
                written.append({**asdict(case), **asdict(found)})
                if profile:
                    profiles += [
                        f"{case.objects} objects; " + profiled(one, work, chosen) for one in contenders[number]
                    ]
        pixels, iou = max(each.pixels for each in apart), min(each.least_iou for each in apart)
        console.print(table)
        console.print(f"stock and ours end with boxes within {pixels:.4f} px, masks of IoU {iou:.4f} at least\n")
        for text in profiles:
            console.print(text, highlight=False, markup=False, soft_wrap=True)
    circumstances = _circumstances(chosen, tracked.checkpoint, None if tracker_only else settings.detector.config)
    console.print(
        "; ".join(f"{key.replace('_', ' ')} {value}" for key, value in circumstances.items() if value is not None),
        highlight=False,
    )
    if chosen.type == "cpu":
        console.print(f"most memory of the whole process so far (maxrss): {peak_of_process() / 1e6:.0f} MB")
    if json_out is not None:
        content = {**circumstances, "frames": frames, "repeats": repeats, "seed": seed}
        content |= {"process_peak_memory": peak_of_process(), "cases": written}
        write_text(json_out, json.dumps(content, indent=1) + "\n")


def _siammask(settings: "PipelineSettings", config: str, weights: str | None) -> "SiamMaskChoice":
    from dataclasses import replace

    from vis_pipeline.errors import ConfigError
    from vis_pipeline.trackers.choices import SiamMaskChoice

    tracker = settings.tracker
    if isinstance(tracker, SiamMaskChoice):
        return tracker if weights is None else replace(tracker, checkpoint=weights)
    if weights is None:
        raise ConfigError(f"config {config}: has no SiamMask to time; give one as --weights")
    return SiamMaskChoice(checkpoint=weights)


def _detectors(settings: "PipelineSettings", device: "torch.device") -> "tuple[StockDetector, tuple[Detector, int]]":
    """mmdet's own way and ours, with the frames that ours is given at once; both find the model's own classes."""
    from dataclasses import replace

    from vis_pipeline.bench.stock_detector import StockDetector

    choice = replace(settings.detector, class_map="by-name")
    stock = StockDetector(choice.config, choice.weights(), device)
    return stock, (choice.build(choice.categories(), device), choice.batch_size)


def _contenders(
    settings: "PipelineSettings",
    tracked: "SiamMaskChoice",
    stages: Literal[1, 2],
    device: "torch.device",
    detectors: "tuple[StockDetector | None, tuple[Detector, int] | None]",
) -> "list[Contender]":
    from dataclasses import replace

    from vis_pipeline.bench.contenders import Engine, Ours, Stock
    from vis_pipeline.errors import ConfigError
    from vis_pipeline.trackers.siammask.checkpoint import load_siammask
    from vis_pipeline.weights.registry import resolve

    network = load_siammask(resolve(tracked.checkpoint), device)
    if network.architecture.branches != ("score", "box", "mask"):
        raise ConfigError(f"weights {tracked.checkpoint}: the stock composition needs a score, a box and a mask branch")
    inference = replace(tracked.settings(), stages=stages)
    stock, ours = detectors
    return [
        Stock(network, inference, device, stock),
        Ours(network, inference, device, ours),
        Engine(network, inference, settings.tracking, device, ours),
    ]


def _cases(sizes: str, objects: str, stages: str) -> list[_Case]:
    """Every size with every number of stages and of objects."""
    from vis_pipeline.errors import ConfigError

    found = []
    for size in _parts(sizes):
        width, _, height = size.partition("x")
        if not (width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= 64):
            raise ConfigError(f"--sizes {size}: not WIDTHxHEIGHT, at least 64x64, as in 640x360")
        for number in _parts(stages):
            if number not in ("1", "2"):
                raise ConfigError(f"--stages {number}: is neither 1 nor 2")
            for count in _parts(objects):
                if not (count.isdecimal() and int(count) > 0):
                    raise ConfigError(f"--objects {count}: not a number above 0")
                found.append(_Case(int(width), int(height), int(count), 1 if number == "1" else 2))
    if not found:
        raise ConfigError("--sizes, --stages and --objects: each needs to name one at least")
    return list(dict.fromkeys(found))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _grouped(cases: Sequence[_Case]) -> Iterator[tuple[tuple[int, int, Literal[1, 2]], list[_Case]]]:
    """The cases of each size and number of stages."""
    for key in dict.fromkeys((case.width, case.height, case.stages) for case in cases):
        yield key, [case for case in cases if (case.width, case.height, case.stages) == key]


def _circumstances(device: "torch.device", weights: str, detector: str | None) -> dict[str, Any]:
    import torch

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    threads = torch.get_num_threads()
    return {"device": name, "threads": threads, "torch": torch.__version__, "weights": weights, "detector": detector}


def _table(title: str, device: "torch.device", alone: bool) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("objects", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    names = ["frames/s", "slowest-fastest", "objects/s", "ratio", *(head for _, head in _steps(alone)), "rest"]
    for name in [*names, *(["MB"] if device.type == "cuda" else [])]:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _steps(alone: bool) -> list[tuple[str, str]]:
    return [(name, title) for name, title in _STEPS.items() if not (alone and name == "detect")]


def _add_rows(table: "Table", case: _Case, found: "Comparison", device: "torch.device", alone: bool) -> None:
    for place, one in enumerate(found.speeds):
        rate = one.frames_per_second
        cells = [
            str(case.objects) if place == 0 else "",
            one.name,
            f"{rate:.2f}",
            f"{one.slowest:.2f}-{one.fastest:.2f}",
            f"{rate * case.objects:.1f}",
            f"{rate / found.speeds[0].frames_per_second:.2f}",
            *(f"{one.steps[name]:.1f}" if name in one.steps else "" for name, _ in _steps(alone)),
            f"{one.rest:.1f}",
        ]
        if device.type == "cuda":
            cells.append(f"{(one.peak_memory or 0) / 1e6:.0f}")
        table.add_row(*cells)
    table.add_section()
