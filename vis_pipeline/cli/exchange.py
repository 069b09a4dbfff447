"""`vis-pipeline export` and `vis-pipeline import`: tracks to and from the forms of other tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vis_pipeline.cli.video_list import video_ids
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.terminal import echo

if TYPE_CHECKING:
    from vis_pipeline.exchange.content import Notes
    from vis_pipeline.structures.splits import Split

LISTED_FORMS = "youtube-vis, coco, cocovid, mots-txt, mots-png, mot-txt, davis, cvat, cvat-polygons, labelme, csv"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export")(export)
    app.command("import")(import_)


_Form = Annotated[str, typer.Option(help=f"{LISTED_FORMS}.")]
_FirstFrame = Annotated[
    int | None,
    typer.Option(
        min=0, max=1, help="Number of the first frame (MOTS: 0, as KITTI has it, or 1, as MOTSChallenge; MOT: 1)."
    ),
]


def export(
    source: Annotated[
        Path, typer.Argument(help="A run's folder (need not be complete), or a split with annotations (JSON).")
    ],
    form: _Form,
    out: Annotated[Path, typer.Option(help="The file or, for forms with a file a video or frame, the new folder.")],
    split: Annotated[Path | None, typer.Option(help="The split of a run. Default: the run's own.")] = None,
    frames: Annotated[
        Path | None, typer.Option(help="Folder of the split's frames, which labelme's files name. Default: the run's.")
    ] = None,
    videos: Annotated[str | None, typer.Option(help="Ids of the videos, as in 1,4,7. Default: all.")] = None,
    score_thr: Annotated[
        float | None, typer.Option(min=0, max=1, help="Tracks of a run with at least this score. Default: all.")
    ] = None,
    first_frame: _FirstFrame = None,
) -> None:
    """Write a run's tracks, or a split's ground truth, in the form of another tool.

    What a form cannot hold, and what was done about it, is said.
    """
    from vis_pipeline.exchange.content import Notes
    from vis_pipeline.exchange.forms import conventions, form_named
    from vis_pipeline.exchange.sources import run_tracks, truth_tracks

    chosen, rules = form_named(form), conventions(form, first_frame)
    ids = None if videos is None else video_ids(videos)
    if source.is_dir():
        content = run_tracks(source, split, frames, ids, score_thr or 0.0)
    else:
        for name, value in (("split", split), ("score-thr", score_thr)):
            if value is not None:
                raise ConfigError(f"--{name} {value}: is for a run's folder, and {source} is not one")
        content = truth_tracks(source, frames, ids)
    notes = Notes()
    _make_folder_of(out)
    chosen.write(out, content, rules, notes)
    _say(notes, form)
    echo(f"{out}: {form}, {len(content.videos)} videos")


def import_(
    path: Annotated[Path, typer.Argument(help="The file or folder of results or ground truth.")],
    form: _Form,
    split: Annotated[
        Path | None,
        typer.Option(help="The videos and categories (JSON). COCO and CocoVID may describe them themselves."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder to make.")] = None,
    as_ground_truth: Annotated[
        Path | None, typer.Option(help="In place of a run, the YouTube-VIS instances.json to write, for --gt.")
    ] = None,
    frames: Annotated[Path | None, typer.Option(help="Folder of the split's frames, for `visualize`.")] = None,
    category: Annotated[
        str | None,
        typer.Option(help="Name or id of the class of tracks whose class is not said. Default: the split's only one."),
    ] = None,
    first_frame: _FirstFrame = None,
) -> None:
    """Make a run's folder of somebody else's results, for `evaluate`, `visualize` and `export`; or ground truth."""
    from dataclasses import replace

    from vis_pipeline.data.splits import read_split
    from vis_pipeline.exchange.content import Notes
    from vis_pipeline.exchange.forms import conventions, form_named
    from vis_pipeline.exchange.targets import write_run, write_truth

    chosen = form_named(form)
    if (out is None) == (as_ground_truth is None):
        raise ConfigError("import: give --out for a run's folder, or --as-ground-truth for an instances.json")
    if split is not None:
        known = replace(read_split(split), annotations=None)
    elif chosen.described_split is not None:
        known = chosen.described_split(path)
    else:
        raise ConfigError(f"import: {form} does not describe the videos; give --split")
    rules = conventions(form, first_frame, _category(category, known))
    notes = Notes()
    found = chosen.read(path, known, rules, notes)
    if out is not None:
        config = {"imported": {"form": form, "path": str(path.resolve()), "first_frame": rules.first_frame}}
        places = {"split": split, "frames": frames}
        inputs = {**config, **{key: str(place.resolve()) for key, place in places.items() if place is not None}}
        tracks, videos = write_run(out, found, known, inputs, notes)
    else:
        assert as_ground_truth is not None
        _make_folder_of(as_ground_truth)
        tracks, videos = write_truth(as_ground_truth, found, known)
    _say(notes, form)
    echo(f"{out or as_ground_truth}: {tracks} tracks in {videos} videos")


def _category(given: str | None, split: "Split") -> int | None:
    """The id of the category that is meant, or that alone can be."""
    from vis_pipeline.exchange.names import SHOWN_NAMES, shown

    if given is None:
        return split.categories[0].id if len(split.categories) == 1 else None
    named = [category.id for category in split.categories if given in (category.name, str(category.id))]
    if not named:
        names = ", ".join(shown(category.name) for category in split.categories[:SHOWN_NAMES])
        raise ConfigError(f"--category {given}: the split has none of this name or id; it has {names}")
    return named[0]


def _make_folder_of(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{path.parent}: cannot be made ({error.strerror})") from error


def _say(notes: "Notes", form: str) -> None:
    for line in notes.lines():
        echo(f"{form}: {line}", err=True)
