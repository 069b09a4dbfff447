"""Scores of single-object protocols as a table for the terminal."""

import math

from rich import box
from rich.table import Table
from rich.text import Text

from evaluation.single_object.protocols import ProtocolScores


def protocol_table(scores: ProtocolScores) -> Table:
    """A row a sequence, then those left out, and all below."""
    table = Table(title=scores.protocol, box=box.SIMPLE_HEAD, padding=0)
    table.add_column("sequence", overflow="fold")
    for name in scores.overall:
        table.add_column(name.replace(" ", "\n"), justify="right")
    for sequence, figures in scores.sequences.items():
        table.add_row(Text(sequence), *(_shown(figures, name) for name in scores.overall))
    for sequence in scores.left_out:
        table.add_row(Text(f"{sequence} (not scored)"), style="dim")
    table.add_section()
    table.add_row(
        f"all {len(scores.sequences)}", *(_shown(scores.overall, name) for name in scores.overall), style="bold"
    )
    return table


def _shown(figures: dict[str, float], name: str) -> str:
    value = figures.get(name, math.nan)
    return "-" if math.isnan(value) else f"{value:.3f}"
