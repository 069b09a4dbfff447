"""`vis-pipeline trax` and `trackers-ini`: SiamMask for VOT's toolkit."""

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from vis_pipeline.cli.sot import Kind, Looks, Preset, Selection, follower_settings
from vis_pipeline.terminal import echo_lines

if TYPE_CHECKING:
    from vis_pipeline.trackers.followers import FollowerSettings


class Boxes(str, Enum):
    """Which box goes into results."""

    state = "state"
    min_max = "min-max"
    mbr = "mbr"
    opt = "opt"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("trax")(trax)
    app.command("trackers-ini")(trackers_ini)


_Weights = Annotated[str, typer.Option(help="A checkpoint file, a published name, or bundled:NAME.")]
_Preset = Annotated[Preset, typer.Option(help="Penalties, smoothing and mask threshold.")]
_TwoStage = Annotated[bool, typer.Option("--two-stage", help="Take the mask from a second crop.")]
_Boxes = Annotated[
    Boxes, typer.Option(help="The tracker's own box, or one of the mask: upright, of least area, or of best overlap.")
]
_Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, ...; by default the GPU if there is one.")]
_Options = Annotated[
    list[str] | None, typer.Option(help="Override a setting of the preset: penalty_k=0.1; repeatable.")
]


def trax(
    weights: _Weights,
    preset: _Preset = Preset.vot18,
    two_stage: _TwoStage = False,
    boxes: _Boxes = Boxes.mbr,
    device: _Device = None,
    cfg_options: _Options = None,
) -> None:
    """Track one object for a client that speaks TraX on standard input and output, as VOT's toolkit does.

    `vis-pipeline trackers-ini` writes what the toolkit needs to start it.
    """
    from vis_pipeline.protocols.benchmark import Trackers
    from vis_pipeline.protocols.vot.trax_tracker import require_trax, serve
    from vis_pipeline.settings.device import torch_device

    require_trax()
    asked, chosen = _settings("trax", weights, preset, two_stage, cfg_options), torch_device(device)
    built = asked.build(chosen)
    with asked.computing(chosen):
        serve(Trackers(built.follow, built.predictor, boxes.value))


def trackers_ini(
    name: Annotated[str, typer.Argument(help="What to call the tracker: letters, digits, - and _.")],
    weights: _Weights,
    preset: _Preset = Preset.vot18,
    two_stage: _TwoStage = False,
    boxes: _Boxes = Boxes.mbr,
    device: _Device = None,
    cfg_options: _Options = None,
) -> None:
    """Print a tracker's entry for the toolkit's trackers.ini: `vis-pipeline trackers-ini ours ... >> trackers.ini`."""
    import sys

    from vis_pipeline.protocols.vot.trax_tracker import registry_entry, require_trax

    require_trax()
    asked = _settings("trackers-ini", weights, preset, two_stage, cfg_options)
    asked.weight_files()
    # The toolkit starts it in a folder of its own.
    command = [sys.executable, "-m", "vis_pipeline", "trax", "--weights", str(asked.with_absolute_paths().weights)]
    command += ["--preset", preset.value, "--boxes", boxes.value, *(["--two-stage"] if two_stage else [])]
    command += [] if device is None else ["--device", device]
    for option in cfg_options or ():
        command += ["--cfg-options", option]
    echo_lines(registry_entry(name, command))


def _settings(
    command: str, weights: str, preset: Preset, two_stage: bool, cfg_options: list[str] | None
) -> "FollowerSettings":
    return follower_settings(
        command,
        Kind.siammask,
        weights,
        None,
        "real_small",
        Looks.colours,
        Selection.tdpa,
        preset,
        two_stage,
        cfg_options,
    )
