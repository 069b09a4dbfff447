"""`vis-pipeline weights list|fetch|verify|convert|average|export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vis_pipeline.errors import WeightsError
from vis_pipeline.weights.registry import (
    BUNDLED,
    CACHE_VARIABLE,
    PRESET_OPTION,
    PUBLISHED,
    PublishedWeights,
    cache_folder,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from vis_pipeline.terminal import Terminal

weights_app = typer.Typer(help="The bundled weights and the published ones.", no_args_is_help=True)

Cache = Annotated[
    Path | None,
    typer.Option("--cache", help=f"Folder of the fetched weights (or set {CACHE_VARIABLE}).", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(weights_app, name="weights")


@weights_app.command("list")
def list_weights(cache: Cache = None) -> None:
    """Show the weights that are known by name, and which are here."""
    from rich.text import Text

    from vis_pipeline.terminal import Terminal

    folder = cache or cache_folder()
    rows = [(weights.reference, weights.path, weights.note) for weights in BUNDLED.values()]
    rows += [
        (weights.name, weights.path(folder), f"{weights.note}; {weights.config}") for weights in PUBLISHED.values()
    ]
    width = max(len(name) for name, _, _ in rows)
    console = Terminal(soft_wrap=True)
    for name, path, note in rows:
        here = f"{path.stat().st_size / 1e6:.1f} MB" if path.is_file() else "not here"
        console.print(Text.assemble((f"{name:<{width}}", "bold"), f"  {here:>8}  {note}"))
    console.print(f"Fetched weights are kept in {folder}.")


@weights_app.command("fetch")
def fetch_weights(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names that `weights list` shows.")],
    url: Annotated[
        str | None, typer.Option("--url", help="Folder of a mirror to fetch from instead.", show_default=False)
    ] = None,
    cache: Cache = None,
) -> None:
    """Download published weights; a download that was cut off is resumed."""
    from vis_pipeline.terminal import Terminal

    console = Terminal(soft_wrap=True)
    for weights in [_published(name) for name in names]:
        path = _fetch(weights, cache or cache_folder(), url, console)
        checked = "checksum right" if weights.sha256_prefix else "no checksum is published; it has the right tensors"
        console.print(f"{weights.name}: {path} ({checked})")


@weights_app.command("verify")
def verify_weights(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", help="Default: all that are here.")] = None,
    cache: Cache = None,
) -> None:
    """Check weights on disk: by their published checksums, or where there are none by reading them; it says which."""
    from rich.text import Text

    from vis_pipeline.terminal import Terminal

    folder = cache or cache_folder()
    here = [w.reference for w in BUNDLED.values()] + [w.name for w in PUBLISHED.values() if w.path(folder).is_file()]
    console = Terminal(soft_wrap=True)
    damaged = []
    for name in names or here:
        try:
            console.print(Text.assemble(("ok", "green"), f"      {name}: {_verified(name, folder)}"))
        except WeightsError as error:
            console.print(Text.assemble(("damaged", "red"), f" {error}"))
            damaged.append(name)
    if damaged:
        raise WeightsError(f"weights {', '.join(damaged)}: missing or damaged")


@weights_app.command("convert")
def convert_weights(
    source: Annotated[Path, typer.Argument(help="`model.json` of a Keras ResNet, a torch checkpoint, or safetensors.")],
    destination: Annotated[Path, typer.Argument(metavar="OUT.safetensors", help="The file to write.")],
    caffe: Annotated[
        bool,
        typer.Option("--caffe", help="SOURCE was learned the Caffe way (mmdet's `style='caffe'`) but cannot tell."),
    ] = False,
) -> None:
    """Bring a ResNet that was learned on ImageNet to one file, for trainings to start from."""
    from vis_pipeline.terminal import Terminal
    from vis_pipeline.weights.pretrained import learned_like_caffe, read_pretrained, write_pretrained

    _require_suffix(destination, ".safetensors")
    pretrained = read_pretrained(source)
    if caffe:
        pretrained = learned_like_caffe(pretrained)
    write_pretrained(pretrained, destination)
    Terminal(soft_wrap=True).print(
        f"{destination}: {len(pretrained.tensors)} tensors, style {pretrained.style}, "
        f"learned on {pretrained.normalisation}"
    )


@weights_app.command("average")
def average_weights(
    sources: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Weights or checkpoints of one training.")],
    out: Annotated[Path, typer.Option(metavar="OUT.safetensors", help="The file to write.")],
) -> None:
    """Write the mean of several weights of one network, from along one training, as .safetensors (fp16)."""
    from vis_pipeline.terminal import Terminal
    from vis_pipeline.weights.average import average

    _require_suffix(out, ".safetensors")
    average(sources, out)
    Terminal(soft_wrap=True).print(f"{out}: the mean of {len(sources)} files", markup=False)


@weights_app.command("export")
def export_weights(
    source: Annotated[str, typer.Argument(metavar="NAME_OR_FILE", help="A trained tracker.")],
    destination: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")],
    official_keys: Annotated[
        bool, typer.Option("--official-keys", help="The official release's form (.pth, fp32) instead of ours.")
    ] = False,
) -> None:
    """Save a tracker as .safetensors (fp16), or as the official SiamMask release does."""
    from vis_pipeline.terminal import Terminal
    from vis_pipeline.trackers.siammask.checkpoint import load_siammask, save_official, save_siammask
    from vis_pipeline.weights.files import read_metadata
    from vis_pipeline.weights.registry import resolve

    _require_suffix(destination, *((".pth", ".pt") if official_keys else (".safetensors",)))
    path = resolve(source)
    network = load_siammask(path)
    if official_keys:
        save_official(destination, network)
    else:
        save_siammask(destination, network, read_metadata(path))
    Terminal(soft_wrap=True).print(f"{destination}: {destination.stat().st_size / 1e6:.1f} MB")


def _require_suffix(path: Path, *suffixes: str) -> None:
    """Files are read by their suffix."""
    if path.suffix not in suffixes:
        raise WeightsError(f"weights {path}: end its name in {' or '.join(suffixes)}")


def _fetch(weights: PublishedWeights, folder: Path, url: str | None, console: "Terminal") -> Path:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from vis_pipeline.weights.fetch import fetch

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(weights.name, total=None)

        def show(done: int, total: int | None) -> None:
            progress.update(bar, completed=done, total=total)

        return fetch(weights, folder, show, url, _reader(weights))


def _reader(weights: PublishedWeights) -> "Callable[[Path], object]":
    """What reads a published file, so that another one is not taken for it."""
    if weights.config.startswith(PRESET_OPTION):
        from vis_pipeline.trackers.siammask.checkpoint import load_siammask

        return load_siammask
    from vis_pipeline.weights.files import read_state_dict

    return read_state_dict


def _verified(name: str, folder: Path) -> str:
    from vis_pipeline.weights.fetch import verify
    from vis_pipeline.weights.files import read_state_dict
    from vis_pipeline.weights.registry import BUNDLED_PREFIX, resolve

    if name.startswith(BUNDLED_PREFIX) or name in BUNDLED:
        tensors = read_state_dict(resolve(BUNDLED_PREFIX + name.removeprefix(BUNDLED_PREFIX)))
        return (
            f"readable: {len(tensors)} tensors, {sum(tensor.numel() for tensor in tensors.values()) / 1e6:.1f} M values"
        )
    weights = _published(name)
    return verify(weights, folder, _reader(weights))


def _published(name: str) -> PublishedWeights:
    if name not in PUBLISHED:
        raise WeightsError(f"weights {name}: not a published name; `vis-pipeline weights list` shows them")
    return PUBLISHED[name]
