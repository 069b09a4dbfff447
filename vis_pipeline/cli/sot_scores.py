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
    protocol: Annotated[str, typer.Argument(help="Such as got10k, otb or vot2018; docs/benchmarks.md has them all.")],
    results: Annotated[Path, typer.Argument(help="Folder of one tracker's result files, in the protocol's form.")],
    gt: Annotated[Path, typer.Option("--gt", help="Folder of the ground truth, as the benchmark hands it out.")],
    sequences: Annotated[
        Path | None, typer.Option(help="Text file, one sequence a line. Default: all of --gt.")
    ] = None,
    json_out: Annotated[
        Path | None, typer.Option("--json", help="Write the scores and curves to this file as well.")
    ] = None,
    curves: Annotated[Path | None, typer.Option(help="Draw the protocol's curves into this PNG file.")] = None,
) -> None:
    """Score boxes of single-object tracking as GOT-10k, OTB, LaSOT, UAV123, NfS, TrackingNet or VOT do.

    A sequence that cannot be scored is named and left out, and the exit code is 2.
    """
    import json

    from evaluation.single_object.protocols import protocol_scores
    from evaluation.single_object.tables import score_tables
    from vis_pipeline.data.sequence_names import listed_names
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.terminal import Terminal

    scores = protocol_scores(protocol, results, gt, None if sequences is None else listed_names(sequences))
    Terminal().print(score_tables(scores))
    if json_out is not None:
        write_text(json_out, json.dumps(scores.to_json(), indent=2) + "\n")
    if curves is not None:
        from evaluation.single_object.curves import curves_of, draw_curves

        draw_curves(protocol, curves_of(scores), curves)
    for name, reason in scores.left_out.items():
        echo(f"sequence {name}: {reason}", err=True)
    if scores.left_out:
        total = len(scores.left_out) + len(scores.sequences)
        raise DataError(f"{len(scores.left_out)} of {total} sequences are not scored; the figures are without them")
