"""`vis-pipeline bench sot`: a benchmark that gives its objects, run, scored and drawn."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vis_pipeline.cli.comparisons import by_name
from vis_pipeline.cli.sot import Deterministic, Kind, Looks, Preset, Selection, follower_settings
from vis_pipeline.terminal import echo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vis_pipeline.protocols.benchmark import Given, Listing
    from vis_pipeline.protocols.registry import Registered
    from vis_pipeline.protocols.results_folder import ResultsFolder
    from vis_pipeline.runs.parallel import RaySettings, RunReport


_NAMED = 5


class Boxes(str, Enum):
    """Which box a result is."""

    state = "state"
    min_max = "min-max"
    mbr = "mbr"
    opt = "opt"


_Protocol = Annotated[str, typer.Argument(help="Such as got10k or otb; docs/benchmarks.md has them all.")]
_Data = Annotated[Path, typer.Option(help="Folder of the sequences, as the benchmark hands it out.")]
_Weights = Annotated[str | None, typer.Option(help="SiamMask: a checkpoint file, a published name, or bundled:NAME.")]
_Preset = Annotated[Preset, typer.Option(help="Penalties, smoothing and mask threshold.")]
_TwoStage = Annotated[bool, typer.Option("--two-stage", help="Take the mask from a second crop.")]
_Boxes = Annotated[Boxes, typer.Option(help="Results that are boxes: the tracker's own, or one of the mask.")]
_Sequences = Annotated[Path | None, typer.Option(help="Text file, one sequence a line. Default: all of --data.")]
_Workers = Annotated[int, typer.Option(min=1, help="Processes, each with its own networks.")]
_Device = Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; default: cuda where there is one.")]
_GpusPerWorker = Annotated[
    float | None, typer.Option(min=0, help="May be a fraction; default: the GPUs here, shared out.")
]
_RayAddress = Annotated[
    str | None, typer.Option(help="Of a running Ray cluster, which sees the same folders; default: this machine.")
]
_Timeout = Annotated[
    float, typer.Option(min=1, help="Seconds without a sign of life after which a worker is replaced.")
]
_Overrides = Annotated[
    list[str] | None, typer.Option(help="Override a setting of the preset: penalty_k=0.1; repeatable.")
]


def sot(
    protocol: _Protocol,
    data: _Data,
    weights: _Weights = None,
    preset: _Preset = Preset.davis,
    two_stage: _TwoStage = False,
    boxes: _Boxes = Boxes.state,
    out: Annotated[
        Path | None, typer.Option(help="Folder for results, scores and curves; runs/PROTOCOL without it.")
    ] = None,
    sequences: _Sequences = None,
    workers: _Workers = 1,
    device: _Device = None,
    gpus_per_worker: _GpusPerWorker = None,
    ray_address: _RayAddress = None,
    timeout: _Timeout = 600.0,
    tracker: Annotated[Kind, typer.Option(help="As in `sot`.")] = Kind.siammask,
    redetector: Annotated[str | None, typer.Option(help="As in `sot`.")] = None,
    config: Annotated[
        str, typer.Option(help="Pipeline config whose detector the re-detector was trained with.")
    ] = "real_small",
    looks: Annotated[Looks, typer.Option(help="As in `sot`.")] = Looks.colours,
    selection: Annotated[Selection, typer.Option(help="As in `sot`.")] = Selection.tdpa,
    deterministic: Deterministic = None,
    cfg_options: _Overrides = None,
) -> None:
    """Run a benchmark's sequences, write the files that it takes, and score them where the truth is at hand.

    The same command again goes on where it stopped. A sequence that cannot be run or scored is named, the rest is
    finished, and the exit code is 2.
    """
    from vis_pipeline.errors import DataError
    from vis_pipeline.interrupt import telling
    from vis_pipeline.protocols.registry import registered
    from vis_pipeline.protocols.results_folder import ResultsFolder, results_identity
    from vis_pipeline.protocols.spread import SequenceWorkerFactory, run_sequences
    from vis_pipeline.runs.lock import holding
    from vis_pipeline.runs.progress import ProgressBar

    entry = registered(protocol)
    followers = follower_settings(
        "bench sot", tracker, weights, redetector, config, looks, selection, preset, two_stage, cfg_options,
        deterministic,
    )  # fmt: skip
    chosen, settings = _spreading(workers, device, gpus_per_worker, ray_address, timeout)
    identity = results_identity(protocol, followers, boxes.value)
    listing = _listing(entry, data, sequences)
    path = out or Path("runs") / protocol
    names = [given.name for given in listing.found]
    with holding(path):
        folder = ResultsFolder.create(path, identity)

        def how_far() -> str:
            kept = sum(entry.benchmark.is_done(given, folder.results) for given in listing.found)
            return f"{kept} of {len(names)} sequences are finished; the same command goes on"

        factory = SequenceWorkerFactory(
            entry.benchmark, followers.with_absolute_paths(), boxes.value, chosen, folder.results.resolve()
        )
        with telling(how_far), ProgressBar(counted="sequences", titles=_titles(listing.found)) as progress:
            report = run_sequences(listing.found, factory, folder, settings, progress)
        _tell(report, folder)
        done = [name for number, name in enumerate(names, start=1) if number not in report.set_aside]
        if not done:
            raise DataError(f"none of {len(names) + len(listing.left_out)} sequences could be run")
        if len(done) == len(names) and (packed := entry.benchmark.submission(listing.found, folder.results)):
            echo(f"to send  {packed}")
        unscored = _scores(protocol, entry, data, done, folder)
    _require_all(len(names) + len(listing.left_out), [*listing.left_out, *(names[n - 1] for n in report.set_aside)])
    if unscored:
        raise DataError(f"{len(unscored)} of {len(done)} sequences are not scored; the figures are without them")


def tune_sot(
    protocol: _Protocol,
    data: _Data,
    out: Annotated[Path, typer.Option(help="Folder for the table and Optuna's journal; a search there is taken up.")],
    weights: _Weights = None,
    search: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=...",
            help="A setting and what to try: LOW:HIGH, or A,B,C; repeatable. Default: mask_threshold=0.1:0.6, "
            "penalty_k=0.0:0.3, window_influence=0.2:0.6, size_rate=0.1:1.0.",
        ),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="How many settings in all, the preset's own first.")] = 30,
    preset: _Preset = Preset.davis,
    two_stage: _TwoStage = False,
    boxes: _Boxes = Boxes.state,
    sequences: _Sequences = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the search.")] = 0,
    workers: _Workers = 1,
    device: _Device = None,
    gpus_per_worker: _GpusPerWorker = None,
    ray_address: _RayAddress = None,
    timeout: _Timeout = 600.0,
    redetector: Annotated[str | None, typer.Option(help="As in `sot`.")] = None,
    config: Annotated[
        str, typer.Option(help="Pipeline config whose detector the re-detector was trained with.")
    ] = "real_small",
    looks: Annotated[Looks, typer.Option(help="As in `sot`.")] = Looks.colours,
    cfg_options: _Overrides = None,
) -> None:
    """Search for SiamMask's settings with Optuna on sequences with truth, by the figure that their benchmark goes by.

    A trial's sequences go over the workers; trials.csv has all trials. Tune on other sequences than you report.
    """
    from vis_pipeline.bench import search as searching
    from vis_pipeline.bench.follower_tuning import SPACE, FollowerSearch, TuningSet
    from vis_pipeline.protocols.registry import registered
    from vis_pipeline.runs.progress import ProgressBar
    from vis_pipeline.terminal import Terminal

    followers = follower_settings(
        "bench tune-sot", Kind.siammask, weights, redetector, config, looks, Selection.tdpa, preset, two_stage,
        cfg_options,
    )  # fmt: skip
    space = by_name("--search", map(searching.parse_choice, search)) if search else SPACE
    entry = registered(protocol)
    chosen, settings = _spreading(workers, device, gpus_per_worker, ray_address, timeout)
    followers.weight_files()
    listing = _listing(entry, data, sequences)
    tried = FollowerSearch(followers, space, TuningSet(protocol, data, listing.found, boxes.value), seed, out)
    console = Terminal()
    with ProgressBar(counted="sequences", titles=_titles(listing.found)) as progress:
        for trial in tried.run(trials, chosen, settings, progress):
            changed = " ".join(f"{key}={value}" for key, value in trial.overrides.items()) or "the preset's own"
            line = f"trial {trial.number}: {entry.objective} {trial.score:.4f}  {changed}"
            console.print(line, highlight=False, soft_wrap=True, markup=False)
    console.print(f"table  {out / searching.TABLE}", highlight=False, soft_wrap=True, markup=False)


def _spreading(
    workers: int, device: str | None, gpus_per_worker: float | None, ray_address: str | None, timeout: float
) -> "tuple[str, RaySettings]":
    """The device of each worker, and how sequences are spread.

    Raises:
        ConfigError: there is no such device.
    """
    from vis_pipeline.runs.parallel import RaySettings
    from vis_pipeline.settings.device import gpu_share, torch_device

    # On a cluster the driver need not have a GPU: that one is asked for says that the workers have.
    chosen = device or ("cuda" if ray_address and gpus_per_worker else torch_device(None).type)
    if ray_address is None:
        torch_device(chosen)
    gpus = gpu_share(chosen, workers) if gpus_per_worker is None else gpus_per_worker
    return chosen, RaySettings(workers, ray_address, gpus, timeout=timeout)


def _listing(entry: "Registered", data: Path, sequences: Path | None) -> "Listing[Any]":
    """The sequences; what cannot be run is said.

    Raises:
        DataError: none can be.
    """
    from vis_pipeline.data.sequence_names import listed_names
    from vis_pipeline.errors import DataError

    listing = entry.benchmark.listing(data, None if sequences is None else listed_names(sequences))
    for name, reason in listing.left_out.items():
        echo(f"sequence {name}: {reason}", err=True)
    if not listing.found:
        raise DataError(f"data {data}: none of {len(listing.left_out)} sequences can be run")
    return listing


def _titles(listed: "Sequence[Given]") -> dict[int, str]:
    return {number: f"sequence {given.name}" for number, given in enumerate(listed, start=1)}


def _tell(report: "RunReport", folder: "ResultsFolder") -> None:
    speed = f", {report.frames / report.seconds:.1f} frames/s" if report.frames and report.seconds else ""
    echo(f"{len(report.finished)} sequences, {report.frames} frames in {report.seconds:.1f} s{speed}")
    echo(f"results  {folder.results}")


def _scores(
    protocol: str, entry: "Registered", data: Path, names: "Sequence[str]", folder: "ResultsFolder"
) -> "Mapping[str, str]":
    """Print, write and draw the scores; why sequences are without, by their names."""
    import json

    from evaluation.single_object.curves import draw_curves
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.protocols.results_folder import CURVES_NAME, SCORES_NAME
    from vis_pipeline.terminal import Terminal

    scored = entry.score(folder.results, data, names)
    if scored is None:
        echo(f"no scores: {data} has no ground truth of this benchmark")
        return {}
    Terminal().print(scored.table)
    write_text(folder.path / SCORES_NAME, json.dumps(scored.content, indent=2) + "\n")
    echo(f"scores   {folder.path / SCORES_NAME}")
    if scored.curves:
        draw_curves(protocol, scored.curves, folder.path / CURVES_NAME)
        echo(f"curves   {folder.path / CURVES_NAME}")
    for name, reason in scored.left_out.items():
        echo(f"sequence {name}: {reason}", err=True)
    return scored.left_out


def _require_all(total: int, without: "Sequence[str]") -> None:
    from vis_pipeline.errors import DataError

    if without:
        named = ", ".join(without[:_NAMED]) + (" ..." if len(without) > _NAMED else "")
        raise DataError(
            f"{len(without)} of {total} sequences have no results ({named}); the others are finished, and the same "
            "command tries these again"
        )
