"""`vis-pipeline davis`: region similarity and contour accuracy of masks against those of DAVIS."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vis_pipeline.errors import DataError

if TYPE_CHECKING:
    from evaluation.davis import Form, LabelledSequence

RUN_FILES = ("results.json", "config.json")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("davis")(davis)


def davis(
    results: Annotated[
        Path, typer.Argument(help="A folder of PNG masks a sequence, named as the frames; or a run's folder.")
    ],
    masks: Annotated[Path, typer.Option(help="Folder with one folder of true masks (PNG) a sequence.")],
    form: Annotated[
        str, typer.Option(help="2016, 2017 (semi-supervised) or 2017-unsupervised (that of a run).")
    ] = "2017",
    sequences: Annotated[
        Path | None, typer.Option(help="Text file, one sequence a line (DAVIS's ImageSets). Default: all of --masks.")
    ] = None,
    split: Annotated[
        Path | None, typer.Option(help="The split of davis-to-vis that a run was made on. Default: the run's own.")
    ] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the scores to this file as well.")] = None,
) -> None:
    """Score masks as DAVIS does: region similarity J and contour accuracy F; mean, recall and decay."""
    import json

    from evaluation.davis import Form, davis_scores
    from evaluation.davis_folders import folder_sequences
    from evaluation.davis_tables import davis_table
    from vis_pipeline.data.sequence_names import sequence_names
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.terminal import Terminal

    forms = {one.value: one for one in Form}
    if form not in forms:
        raise DataError(f"--form {form}: give one of {', '.join(forms)}")
    chosen = forms[form]
    names = sequence_names(masks, sequences)
    if any((results / name).is_file() for name in RUN_FILES):
        read = _of_a_run(results, masks, names, chosen, split)
    else:
        read = folder_sequences(results, masks, names, chosen)
    scores = davis_scores(read, chosen)
    Terminal().print(davis_table(scores))
    if json_out is not None:
        write_text(json_out, json.dumps(scores.to_json(), indent=2) + "\n")


def _of_a_run(
    run: Path, masks: Path, names: tuple[str, ...], form: "Form", split: Path | None
) -> Iterator["LabelledSequence"]:
    from evaluation.davis import Form
    from evaluation.davis_folders import track_sequences
    from vis_pipeline.data.results import read_results
    from vis_pipeline.data.splits import read_split
    from vis_pipeline.runs.folder import RunFolder

    if form is not Form.UNSUPERVISED:
        raise DataError(f"run {run}: tracks have no object numbers; score them with --form 2017-unsupervised")
    split = split or RunFolder.open(run).input_path("split")
    if split is None:
        raise DataError(f"run {run}: names no split; give that of davis-to-vis with --split")
    of_split = read_split(split)
    return track_sequences(read_results(run, of_split), of_split, masks, names)
