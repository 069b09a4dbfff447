"""Scores of parts as tables for the terminal."""

from collections.abc import Mapping
from dataclasses import fields

from rich.table import Table

from evaluation.scores import Figures, Scores
from evaluation.subsets import ShortAndLong
from evaluation.tables import figure


def short_and_long_table(scores: ShortAndLong) -> Table:
    """Every figure of the short set, of the long set, and their mean."""
    table = Table(title="YouTube-VIS 2022")
    for name in ("", "short", "long", "mean"):
        table.add_column(name, justify="right" if name else "left")
    sets = (scores.short, scores.long, scores.mean)
    for name in (field.name for field in fields(Figures)):
        table.add_row(name, *(figure(getattr(part, name)) for part in sets), end_section=name == "APl")
    return table


def occlusion_table(groups: Mapping[str, Scores]) -> Table:
    """AP and AR of each group of :func:`evaluation.subsets.evaluate_by_occlusion`."""
    table = Table(title="By occlusion (OVIS)")
    table.add_column("objects")
    for name in ("AP", "AP50", "AP75", "AR1", "AR10", "AR100"):
        table.add_column(name, justify="right")
    for group, scores in groups.items():
        figures = (scores.AP, scores.AP50, scores.AP75, scores.AR1, scores.AR10, scores.AR100)
        table.add_row(group, *map(figure, figures))
    return table
