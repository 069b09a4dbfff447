"""`vis-pipeline sot-scores`: results of single-object tracking, scored as the benchmarks do."""

from pathlib import Path
from typing import Annotated

import typer

from vis_pipeline.errors import DataError
from vis_pipeline.terminal import echo


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sot-scores")(sot_scores)


def sot_scores(
    protocol: Annotated[str, typer.Argument(help="got10k, otb, lasot, vot2016, vot2018 or vot2019 (supervised).")],
    results: Annotated[Path, typer.Argument(help="Folder of one tracker's result files, in the protocol's form.")],
    gt: Annotated[Path, typer.Option("--gt", help="Folder of the ground truth, as the benchmark hands it out.")],
    sequences: Annotated[
        Path | None, typer.Option(help="Text file, one sequence a line. Default: all of --gt.")
    ] = None,
    json_out: Annotated[
        Path | None, typer.Option("--json", help="Write the scores and curves to this file as well.")
    ] = None,
) -> None:
    """Score boxes of single-object tracking: GOT-10k, OTB, LaSOT, or VOT with resets.

    A sequence that cannot be scored is named and left out, and the exit code is 2.
    """
    import json

    from evaluation.single_object.protocols import protocol_scores
    from evaluation.single_object.tables import protocol_table
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.terminal import Terminal

    scores = protocol_scores(protocol, results, gt, None if sequences is None else _names(sequences))
    Terminal().print(protocol_table(scores))
    if json_out is not None:
        write_text(json_out, json.dumps(scores.to_json(), indent=2) + "\n")
    for name, reason in scores.left_out.items():
        echo(f"sequence {name}: {reason}", err=True)
    if scores.left_out:
        total = len(scores.left_out) + len(scores.sequences)
        raise DataError(f"{len(scores.left_out)} of {total} sequences are not scored; the figures are without them")


def _names(listing: Path) -> tuple[str, ...]:
    from vis_pipeline.files.regular_files import read_text

    try:
        lines = read_text(listing).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"--sequences {listing}: cannot be read") from error
    return tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
