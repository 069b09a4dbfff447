"""`vis-pipeline bench boxes`: which way to make a box of a mask comes closest to rotated boxes that are known."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vis_pipeline.terminal import echo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.table import Table

    from vis_pipeline.bench.boxes import BoxQuality, MaskWithBox


def boxes(
    masks: Annotated[
        Path | None, typer.Option(help="Folder of sequences, each a folder of PNG masks; not 0 is the object.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Folder of sequences, each with VOT's groundtruth.txt, a line a mask.")
    ] = None,
    drawn: Annotated[
        int | None, typer.Option(min=1, help="Draw so many masks of each form in random boxes instead.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the drawn ones.")] = 0,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")] = None,
) -> None:
    """Compare the boxes that masks give, Min-max, MBR and Opt, with rotated boxes that are known.

    *mIoU*: mean over all masks; *AP.5* and *AP.7*: the part of the masks whose IoU reaches that, which with one box a
    frame is the average precision; *ms*: a mask. The oracles know the true box and make an upright one of it. A
    sequence that cannot be read is a warning; the rest is measured.
    """
    import json
    from dataclasses import asdict

    from vis_pipeline.bench.boxes import drawn_cases, qualities
    from vis_pipeline.errors import ConfigError
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.terminal import Terminal

    if json_out is not None and not json_out.parent.is_dir():
        raise ConfigError(f"--json {json_out}: there is no folder {json_out.parent}")
    if drawn is not None and masks is None and truth is None:
        groups: dict[str, Iterable[MaskWithBox]] = {**drawn_cases(drawn, seed)}
    elif drawn is None and masks is not None and truth is not None:
        groups = {"all": _read(masks, truth)}
    else:
        raise ConfigError("bench boxes: give --masks and --truth, or --drawn alone")
    console = Terminal(width=100)
    found: dict[str, list[BoxQuality]] = {}
    for name, cases in groups.items():
        found[name] = qualities(cases)
        console.print(quality_table(f"{name}: {found[name][0].masks} masks", found[name]))
    if json_out is not None:
        content = {name: [asdict(quality) for quality in rows] for name, rows in found.items()}
        write_text(json_out, json.dumps(content, indent=1) + "\n")


def _read(masks: Path, truth: Path) -> "Iterator[MaskWithBox]":
    """All frames that have a mask and a box, a sequence at a time; what had to be left out is said.

    Raises:
        DataError: there is none.
    """
    from vis_pipeline.bench.boxes import MaskWithBox
    from vis_pipeline.data.rotated_truth import masks_with_boxes
    from vis_pipeline.data.sequence_names import sequence_names
    from vis_pipeline.errors import DataError

    complete = without = 0
    for sequence in sequence_names(masks):
        try:
            frames = list(masks_with_boxes(masks, truth, sequence))
        except DataError as error:
            echo(f"warning: {error}; the sequence is left out", err=True)
            continue
        first = next((box for _, box in frames if box is not None), None)
        for mask, box in frames:
            if first is not None and box is not None and mask.any():
                complete += 1
                yield MaskWithBox(mask, box, first)
            else:
                without += 1
    if without:
        echo(f"warning: {without} frames without an object or a box are left out", err=True)
    if not complete:
        raise DataError(f"masks {masks}: no frame has a mask and a box in {truth}")


def quality_table(title: str, rows: "list[BoxQuality]") -> "Table":
    """A row for each way."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True)
    for name in ("mIoU", "AP.5", "AP.7", "ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        shares = [f"{100 * value:.1f}" for value in (row.mean_iou, row.at_half, row.at_seventy)]
        table.add_row(row.way, *shares, f"{row.milliseconds:.2f}" if row.milliseconds else "")
    return table
