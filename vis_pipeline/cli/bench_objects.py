"""`vis-pipeline bench objects`: several objects of a video followed together and one after another."""

from typing import Annotated

import typer


def objects(
    weights: Annotated[str, typer.Option(help="SiamMask: a checkpoint file, a published name, or bundled:NAME.")],
    counts: Annotated[str, typer.Option("--objects", help="How many, with commas.")] = "1,2,5,10",
    frames: Annotated[int, typer.Option(min=2, help="Of the drawn video, 854x480 as DAVIS's.")] = 6,
    two_stage: Annotated[bool, typer.Option("--two-stage", help="Take the masks from a second crop.")] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; default: cuda where there is one.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the drawn video and the boxes.")] = 0,
) -> None:
    """Time SiamMask on several objects of one video: all in a batch, and each alone, one after another.

    Milliseconds a frame, the first one with the objects' beginning counted in; of three tries the quickest. On the CPU
    those of one thread at work, which others on the machine do not lengthen.
    """
    import time
    from dataclasses import replace

    import torch
    from rich import box
    from rich.table import Table

    from vis_pipeline.bench.several_objects import time_objects
    from vis_pipeline.bench.speed_scene import drawn_frames, scene
    from vis_pipeline.errors import ConfigError
    from vis_pipeline.settings.device import torch_device
    from vis_pipeline.terminal import Terminal
    from vis_pipeline.trackers.siammask.checkpoint import load_siammask
    from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
    from vis_pipeline.trackers.siammask.settings import PRESETS
    from vis_pipeline.weights.registry import resolve

    if not all(part.isdecimal() and int(part) for part in counts.split(",")):
        raise ConfigError(f"--objects {counts}: not numbers above 0 with commas, as in 1,5,10")
    chosen = torch_device(device)
    settings = replace(PRESETS["davis"], stages=2 if two_stage else 1)
    tracker = SiamMaskPredictor(load_siammask(resolve(weights), chosen), settings, chosen)
    clock = time.perf_counter
    if chosen.type == "cpu":
        torch.set_num_threads(1)
        clock = time.process_time
    images = drawn_frames(854, 480, frames, seed)
    table = Table(title=f"{weights}, {chosen}", box=box.SIMPLE_HEAD, padding=0)
    for name in ("objects", "together\nms a frame", "one by one\nms a frame", "times\nfaster"):
        table.add_column(name, justify="right")
    for count in (int(part) for part in counts.split(",")):
        timing = time_objects(tracker, scene(images, count, seed), clock)
        each = [f"{1000 * seconds / timing.frames:.1f}" for seconds in (timing.together, timing.apart)]
        table.add_row(str(count), *each, f"{timing.apart / timing.together:.2f}")
    Terminal().print(table)
