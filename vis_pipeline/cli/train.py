"""`vis-pipeline train detector|tracker|redetector`: training, resumable, with the losses logged."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[str, typer.Argument(help="Training config: a file, or a name inside the packaged configs.")]
WorkDir = Annotated[Path, typer.Option(help="Folder for checkpoints, logs and the trained weights.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the folder's last checkpoint.")]
Options = Annotated[
    list[str] | None, typer.Option("--cfg-options", metavar="KEY=VALUE", help="Override a setting; may be repeated.")
]
OfficialKeys = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Also write the weights in the official release's form, float32.")
]
TensorBoard = Annotated[bool, typer.Option("--tensorboard", help="Log for TensorBoard, too, in the work folder.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(name="train", help="Train a detector, a tracker or a re-detector.", no_args_is_help=True)
    group.command("detector")(train_detector)
    group.command("tracker")(train_tracker)
    group.command("redetector")(train_redetector)
    app.add_typer(group)


def train_detector(
    config: Config,
    work_dir: WorkDir,
    resume: Resume = False,
    tensorboard: TensorBoard = False,
    cfg_options: Options = None,
) -> None:
    """Train an mmdet detector (HTC) on the frames of a YouTube-VIS split; under torchrun, with all its processes."""
    from vis_pipeline.settings.config import find_config, parse_options
    from vis_pipeline.terminal import Terminal
    from vis_pipeline.training.detector import train_detector as train
    from vis_pipeline.training.detector.processes import is_first

    options = parse_options(cfg_options or ()) | ({"tensorboard": True} if tensorboard else {})
    weights = train(find_config(config), work_dir, resume, options)
    if is_first():
        Terminal(soft_wrap=True).print(f"weights: {weights}", markup=False)


def train_tracker(
    config: Config,
    work_dir: WorkDir,
    resume: Resume = False,
    official_keys: OfficialKeys = None,
    tensorboard: TensorBoard = False,
    cfg_options: Options = None,
) -> None:
    """Train SiamMask on pairs of frames of videos and stills."""
    from vis_pipeline.terminal import Terminal
    from vis_pipeline.training.tracker.trainer import train_tracker as train

    weights = train(config, work_dir, resume, cfg_options or (), tensorboard, official_keys)
    Terminal(soft_wrap=True).print(f"weights: {weights}", markup=False)


def train_redetector(
    config: Config,
    work_dir: WorkDir,
    resume: Resume = False,
    tensorboard: TensorBoard = False,
    cfg_options: Options = None,
) -> None:
    """Train Siam R-CNN's re-detection head on a detector's features, which are computed once and kept."""
    from vis_pipeline.terminal import Terminal
    from vis_pipeline.training.redetector.trainer import train_redetector as train

    weights = train(config, work_dir, resume, cfg_options or (), tensorboard)
    Terminal(soft_wrap=True).print(f"weights: {weights}", markup=False)
