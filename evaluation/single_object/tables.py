"""Scores of single-object protocols as a table for the terminal."""

import math

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evaluation.single_object.protocols import ProtocolScores


def score_tables(scores: ProtocolScores) -> RenderableType:
    """The sequences, and below them the attributes of frames where there are any."""
    if not scores.attributes:
        return protocol_table(scores)
    return Group(protocol_table(scores), _attribute_table(scores))


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


def _attribute_table(scores: ProtocolScores) -> Table:
    """A row an attribute of frames, the most frequent first."""
    table = Table(title=f"{scores.protocol}, frames by attribute", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("attribute", overflow="fold")
    for name in ("frames", "accuracy", "failures", "EAO"):
        table.add_column(name, justify="right")
    for attribute, figures in sorted(scores.attributes.items(), key=lambda item: -item[1]["frames"]):
        rest = (_shown(figures, name) for name in ("accuracy", "failures", "EAO"))
        table.add_row(Text(attribute), f"{figures['frames']:.0f}", *rest)
    return table


def _shown(figures: dict[str, float], name: str) -> str:
    value = figures.get(name, math.nan)
    return "-" if math.isnan(value) else f"{value:.3f}"
