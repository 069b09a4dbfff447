"""`vis-pipeline bench memory`: what a memory of lost tracks costs in a frame."""

from pathlib import Path
from typing import Annotated

import typer


def memory(
    weights: Annotated[str, typer.Argument(help="Re-detector weights: a file, or bundled:NAME.")],
    away: Annotated[list[int], typer.Option(min=1, help="Tracks that are out of sight; repeatable.")] = [1, 5, 10, 20],  # noqa: B006
    detections: Annotated[int, typer.Option(min=1, max=12, help="New objects in the frame.")] = 3,
    repeats: Annotated[int, typer.Option(min=1, help="Measured runs.")] = 10,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; default: cuda where there is one.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")] = None,
) -> None:
    """Time a frame's questions by how many tracks are away, with all their views, up to the memory's bound."""
    import json
    from dataclasses import asdict

    from rich import box
    from rich.table import Table

    from vis_pipeline.bench.memory import memory_costs
    from vis_pipeline.errors import ConfigError
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.settings.device import torch_device
    from vis_pipeline.terminal import Terminal
    from vis_pipeline.trackers.memory import MemorySettings
    from vis_pipeline.trackers.siam_rcnn.checkpoint import load_redetector
    from vis_pipeline.weights.registry import resolve

    settings, chosen = MemorySettings(), torch_device(device)
    if max(away) > settings.max_away:
        raise ConfigError(f"bench memory: --away {max(away)}: at most {settings.max_away} tracks are remembered")
    network = load_redetector(resolve(weights), device=chosen)
    costs = list(memory_costs(network, settings, away, detections, repeats, chosen))
    table = Table(title="Memory, a frame", box=box.SIMPLE_HEAD)
    for name in ("away", "questions", "ms", "least", "most"):
        table.add_column(name, justify="right")
    for cost in costs:
        times = (f"{value:.1f}" for value in (cost.milliseconds, cost.least, cost.most))
        table.add_row(str(cost.away), str(cost.questions), *times)
    Terminal().print(table)
    if json_out is not None:
        write_text(json_out, json.dumps([asdict(cost) for cost in costs], indent=1) + "\n")
