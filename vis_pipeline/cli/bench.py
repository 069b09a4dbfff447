"""`vis-pipeline bench`: measurements that a user can repeat."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    bench = typer.Typer(help="Measurements.", no_args_is_help=True)
    bench.command("ablation")(ablation)
    bench.callback()(_bench)
    app.add_typer(bench, name="bench")


def _bench() -> None:
    """Measurements."""


def ablation(
    out: Annotated[Path, typer.Option(help="New folder for the split, the detections and the runs.")],
    config: Annotated[str, typer.Option(help="Pipeline config.")] = "procedural_small",
    seed: Annotated[int, typer.Option(min=0, help="Of the videos and of what is dropped.")] = 20500,
    videos: Annotated[int, typer.Option(min=1, help="Hard procedural videos to make.")] = 12,
    drop: Annotated[float, typer.Option(min=0, max=1, help="Share of the detections that goes missing.")] = 1 / 3,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; default: cuda where there is one.")] = None,
    cfg_options: Annotated[list[str] | None, typer.Option(help="Override a config key: a.b=value; repeatable.")] = None,
) -> None:
    """Score the same thinned detections tracked without SiamMask (linked by IoU alone), with one stage and with two."""
    from rich.console import Console
    from rich.table import Table

    from vis_pipeline.bench.ablation import ablate
    from vis_pipeline.device import gpu_share, torch_device
    from vis_pipeline.parallel import RaySettings
    from vis_pipeline.pipeline import load_pipeline
    from vis_pipeline.progress import ProgressBar
    from vis_pipeline.run import RunOptions

    settings = load_pipeline(config, cfg_options or ())
    chosen = device or torch_device(None).type
    ray = RaySettings(workers=workers, gpus_per_worker=gpu_share(chosen, workers))
    options = RunOptions(device=chosen, ray=ray)
    table = Table("tracking", "AP", "AP50", "AP75", "AR1", "AR10", "frames/s")
    with ProgressBar() as progress:
        for row in ablate(settings, out, seed, videos, drop, options, progress):
            scores = row.scores.to_json()
            figures = [f"{scores[name]:.3f}" for name in ("AP", "AP50", "AP75", "AR1", "AR10")]
            table.add_row(row.variant, *figures, f"{row.frames_per_second:.1f}")
    Console().print(f"{videos} hard videos (seed {seed}), {drop:.0%} of the detections dropped", highlight=False)
    Console().print(table)
