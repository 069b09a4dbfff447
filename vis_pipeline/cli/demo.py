"""`vis-pipeline demo`: the main job on videos that it makes itself, as the commands that a user would type."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from vis_pipeline.terminal import echo

_UNSEEN_SEED = "20000"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    out: Annotated[Path, typer.Option(help="New folder for the split, the run and the pictures.")] = Path("demo"),
    videos: Annotated[int, typer.Option(min=1, help="Videos to make.")] = 8,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    video: Annotated[Path | None, typer.Option(help="Also track this clip of your own, and draw it.")] = None,
) -> None:
    """Make unseen procedural videos, track them with HTC and two-stage SiamMask, score, zip and draw the result."""
    split, run = out / "split", out / "run"
    truth = split / "instances.json"
    _step("synth", "--seed", _UNSEEN_SEED, "--videos", videos, "--out", split, "--workers", workers)
    frames = split / "JPEGImages"
    fast = ("--cfg-options", "tracker.precision=fast")
    _step("run", "procedural_small", "--split", truth, "--frames", frames, "--out", run, "--workers", workers, *fast)
    _step("evaluate", run, "--gt", truth, "--json", out / "scores.json")
    _step("submit", run)
    _step("visualize", run)
    if video is not None:
        _step("run", "real_small", "--video", video, "--out", out / "clip")
        _step("visualize", out / "clip")


def _step(*words: object) -> None:
    """Show a command and carry it out, in this process."""
    from vis_pipeline.cli.app import app

    arguments = [str(word) for word in words]
    echo("")
    echo(f"$ vis-pipeline {shlex.join(arguments)}")
    typer.main.get_command(app).main(arguments, prog_name="vis-pipeline", standalone_mode=False)
