"""`vis-pipeline bench ablation` and `bench tune`: trackers on the same detections, and settings searched for."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from vis_pipeline.bench.ablation import TrackingFigures, VariantSummary
    from vis_pipeline.runs.start import RunOptions

_ValueT = TypeVar("_ValueT")

_DRAWN_VIDEOS = 12
_DRAWN_SEED = 20500
_DRAWN_DROP = 1 / 3

_Config = Annotated[str, typer.Option(help="Pipeline config.")]
_Workers = Annotated[int, typer.Option(min=1, help="Processes.")]
_Device = Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; default: cuda where there is one.")]
_Overrides = Annotated[list[str] | None, typer.Option(help="Override a config key: a.b=value; repeatable.")]


def ablation(
    out: Annotated[Path, typer.Option(help="New folder for the detections and the runs.")],
    split: Annotated[
        list[Path] | None,
        typer.Option(help="YouTube-VIS split with annotations; repeatable. Default: hard drawn videos, made for this."),
    ] = None,
    frames: Annotated[
        list[Path] | None, typer.Option(help="Folder that the split's file names start from; one for all or for each.")
    ] = None,
    detections: Annotated[
        list[Path] | None,
        typer.Option(help="Recorded detections, of each split; default: drawn from the true masks of --split."),
    ] = None,
    config: _Config = "procedural_small",
    variants: Annotated[
        str, typer.Option(help="Which of none (detections linked by themselves), one-stage, two-stage; with commas.")
    ] = "none,one-stage,two-stage",
    variant: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:KEY=VALUE ...", help="One more variant of the config by its overrides; repeatable."),
    ] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option(
            min=0, help=f"Of drawn videos and of what goes missing; repeatable, or one a split; default: {_DRAWN_SEED}."
        ),
    ] = None,
    videos: Annotated[
        int | None, typer.Option(min=1, help=f"Drawn videos to make, without --split; default: {_DRAWN_VIDEOS}.")
    ] = None,
    drop: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of the detections that goes missing; default: a third.")
    ] = None,
    runs: Annotated[
        str | None, typer.Option(help="With --split: an object is missed for so many frames on end; default: 1-6.")
    ] = None,
    jitter: Annotated[
        float, typer.Option(min=0, max=1, help="With --split: masks are shifted and scaled by so much of their size.")
    ] = 0.0,
    false_positives: Annotated[
        float, typer.Option(min=0, max=100, help="With --split: detections of nothing a frame, on average.")
    ] = 0.0,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")] = None,
    workers: _Workers = 2,
    device: _Device = None,
    cfg_options: _Overrides = None,
) -> None:
    """Score the same detections tracked in several ways: without SiamMask, with one stage, with two, and your own.

    AP is YouTube-VIS's; IDF1, HOTA and AssA are over all masks. *tracks*: reported tracks an object; *reborn*: how many
    of the reported tracks are born on an object that had been tracked before; *stray*: the share of shown masks of
    which less than half lies on an object; *searched*: tracks a frame that are not lost, for which SiamMask, if there
    is one, looks; *frames/s*: those that one worker tracks.
    With --split the detections are the true masks, of which --drop goes missing for --runs frames on end; without it
    they are what the pipeline's detector finds in drawn videos, and --drop of them goes missing one by one.
    With several splits or seeds, each has a table, and the last one has the means, below them the standard deviations.
    """
    import json

    from vis_pipeline.bench import ablation as bench
    from vis_pipeline.bench import workload
    from vis_pipeline.bench.simulated_detections import DetectorFaults
    from vis_pipeline.errors import ConfigError
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.runs.parallel.cluster import ray_session
    from vis_pipeline.runs.progress import ProgressBar
    from vis_pipeline.terminal import Terminal

    faulty = runs is not None or bool(jitter or false_positives)
    if bool(split) != bool(frames):
        raise ConfigError("--split and --frames go together")
    if not split and (detections or faulty):
        raise ConfigError("--detections, --runs, --jitter and --false-positives need a --split")
    if detections and (seed or drop is not None or faulty):
        raise ConfigError("--seed, --drop, --runs, --jitter and --false-positives do nothing to recorded --detections")
    if split and videos is not None:
        raise ConfigError("--videos is how many are drawn where there is no --split")
    chosen = [name.strip() for name in variants.split(",") if name.strip()]
    compared = bench.variants(config, cfg_options or (), chosen, by_name("--variant", map(_named, variant or ())))
    if not compared:
        raise ConfigError("--variants: names none, and there is no --variant")
    share = _DRAWN_DROP if drop is None else drop
    faults = DetectorFaults(share, _runs(runs or "1-6"), jitter, false_positives)
    options = _run_options(device, workers)
    origins = workload.sources(split or (), frames or (), detections or (), seed or (_DRAWN_SEED,))
    folders = [out / str(number) for number in range(1, len(origins) + 1)] if len(origins) > 1 else [out]
    rows = []
    console = Terminal()
    with ProgressBar() as progress:
        detecting, count = next(iter(compared.values())), videos or _DRAWN_VIDEOS
        works = [
            workload.make_workload(source, folder, faults, count, detecting, options, progress)
            for source, folder in zip(origins, folders, strict=True)
        ]
        with ray_session(options.ray):
            for work, folder in zip(works, folders, strict=True):
                table = _table("variant", title=str(folder))
                for row in bench.ablate(compared, work, folder, options, progress):
                    rows.append(row)
                    speeds = f"{row.searched:.1f}", f"{row.frames_per_second:.1f}"
                    table.add_row(row.variant, *_cells(row.figures), *speeds)
                console.print(table)
    summaries = bench.summarise(rows)
    if len(origins) > 1:
        console.print(_table_of_means(summaries))
    if json_out is not None:
        write_text(json_out, json.dumps(bench.to_json(summaries, folders), indent=1) + "\n")


def tune(
    on: Annotated[
        list[Path], typer.Option(help="Folder of a `bench ablation`, whose split and detections serve; repeatable.")
    ],
    search: Annotated[
        list[str],
        typer.Option(metavar="KEY=...", help="A config key and what to try: LOW:HIGH, or A,B,C; repeatable."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the table and Optuna's journal; a search there is taken up.")],
    trials: Annotated[int, typer.Option(min=1, help="How many settings in all, the config's own first.")] = 30,
    config: _Config = "procedural_small",
    seed: Annotated[int, typer.Option(min=0, help="Of the search.")] = 0,
    workers: _Workers = 2,
    device: _Device = None,
    cfg_options: _Overrides = None,
) -> None:
    """Search for settings with Optuna, by the mean of AP, IDF1 and HOTA over the workloads; trials.csv has them all."""
    from vis_pipeline.bench import search as searching
    from vis_pipeline.bench import tuning
    from vis_pipeline.bench.workload import read_workload
    from vis_pipeline.runs.progress import ProgressBar
    from vis_pipeline.terminal import Terminal

    space = by_name("--search", map(searching.parse_choice, search))
    workloads = [read_workload(folder) for folder in on]
    console = Terminal()
    tried = tuning.Search(config, cfg_options or (), space, workloads, seed, out)
    with ProgressBar() as progress:
        for trial in tried.run(trials, _run_options(device, workers), progress):
            settings = " ".join(f"{key}={value}" for key, value in trial.overrides.items()) or "the config's own"
            console.print(f"trial {trial.number}: {trial.score:.4f}  {settings}", highlight=False, soft_wrap=True)
    console.print(f"table  {out / searching.TABLE}", highlight=False, soft_wrap=True)


def _run_options(device: str | None, workers: int) -> "RunOptions":
    from vis_pipeline.runs.parallel import RaySettings
    from vis_pipeline.runs.start import RunOptions
    from vis_pipeline.settings.device import gpu_share, torch_device

    chosen = device or torch_device(None).type
    return RunOptions(device=chosen, ray=RaySettings(workers=workers, gpus_per_worker=gpu_share(chosen, workers)))


def by_name(option: str, pairs: "Iterable[tuple[str, _ValueT]]") -> "dict[str, _ValueT]":
    """What an option that may be repeated gives, by name.

    Raises:
        ConfigError: a name is given twice.
    """
    from vis_pipeline.errors import ConfigError

    found: dict[str, _ValueT] = {}
    for name, value in pairs:
        if name in found:
            raise ConfigError(f"{option} {name}: is given twice")
        found[name] = value
    return found


def _named(text: str) -> tuple[str, list[str]]:
    from vis_pipeline.errors import ConfigError

    name, colon, overrides = text.partition(":")
    if not (name and colon):
        raise ConfigError(f"--variant {text}: expected NAME:KEY=VALUE, more of them after spaces")
    return name, overrides.split()


def _runs(text: str) -> tuple[int, int]:
    from vis_pipeline.errors import ConfigError

    low, _, high = text.partition("-")
    if not (low.isdecimal() and (high or low).isdecimal() and 1 <= int(low) <= int(high or low)):
        raise ConfigError(f"--runs {text}: not two numbers of frames A-B, as in 1-6")
    return int(low), int(high or low)


# The figures of the table of means in the order of the columns, and how they are written.
_MEANS = {
    "ap": "{:.3f}", "idf1": "{:.3f}", "hota": "{:.3f}", "assa": "{:.3f}", "switches": "{:.1f}",
    "tracks_per_object": "{:.2f}", "rebirths": "{:.1f}", "stray": "{:.1%}", "searched": "{:.1f}",
    "frames_per_second": "{:.1f}",
}  # fmt: skip
_COLUMNS = ("AP", "IDF1", "HOTA", "AssA", "IDSW", "tracks", "reborn", "stray", "searched", "frames/s")


def _table(first: str, title: str | None) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    table.add_column(first, overflow="fold", min_width=len("two-stage"))
    for name in _COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _cells(figures: "TrackingFigures") -> Iterable[str]:
    yield from (f"{value:.3f}" for value in (figures.ap, figures.idf1, figures.hota, figures.assa))
    yield str(figures.switches)
    yield f"{figures.tracks_per_object:.2f}"
    yield f"{figures.rebirths}/{figures.births}"
    yield f"{figures.stray:.1%}"


def _table_of_means(summaries: "Iterable[VariantSummary]") -> "Table":
    table = _table("variant", title="mean, standard deviation")
    for summary in summaries:
        spreads = [(form, summary.spreads[name]) for name, form in _MEANS.items()]
        table.add_row(summary.variant, *(form.format(spread.mean) for form, spread in spreads))
        table.add_row("", *(form.format(spread.deviation) for form, spread in spreads), style="dim")
    return table
