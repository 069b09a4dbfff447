"""`vis-pipeline bench faults`: files of every kind are damaged, and what became of it is counted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vis_pipeline.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from vis_pipeline.bench.faults import Row


def faults(
    tries: Annotated[int, typer.Option(min=1, help="Of each damage to each kind of file.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Of where the damage falls.")] = 0,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the counts to this file as well.")] = None,
) -> None:
    """Damage frames, masks, videos, results and weights, and count what is told; exits with 2 where one crashes."""
    import json
    import tempfile

    from vis_pipeline.bench import faults as bench
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.terminal import Terminal

    with tempfile.TemporaryDirectory() as name:
        rows = list(bench.faults(Path(name), tries, seed))
    Terminal().print(_table(rows))
    if json_out is not None:
        write_text(json_out, json.dumps([row.to_json() for row in rows], indent=1) + "\n")
    if crashed := [f"{row.kind}, {row.damage}" for row in rows if row.outcomes["crashed"]]:
        raise DataError(f"bench faults: another error than a line of ours: {'; '.join(crashed)}")


def _table(rows: "Sequence[Row]") -> "Table":
    from rich import box
    from rich.table import Table

    from vis_pipeline.bench.faults import OUTCOMES

    table = Table(title="Damaged files", box=box.SIMPLE_HEAD)
    for column in ("file", "damage"):
        table.add_column(column)
    for column in OUTCOMES:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(row.kind, row.damage, *(str(row.outcomes[name]) for name in OUTCOMES))
    return table
