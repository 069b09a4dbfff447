"""Scores as tables for the terminal."""

from rich import box
from rich.table import Table
from rich.text import Text

from evaluation.scores import Scores


def headline_table(scores: Scores) -> Table:
    """AP over AR: three columns of thresholds or limits, three of sizes."""
    table = Table(title="YouTube-VIS")
    rows = (("AP", "AP50", "AP75", "APs", "APm", "APl"), ("AR1", "AR10", "AR100", "ARs", "ARm", "ARl"))
    for name in rows[0]:
        table.add_column(name, justify="right")
    values = scores.to_json()
    table.add_row(*(figure(values[name]) for name in rows[0]), end_section=True)
    table.add_row(*(Text(name, style="bold") for name in rows[1]), end_section=True)
    table.add_row(*(figure(values[name]) for name in rows[1]))
    return table


def category_table(scores: Scores) -> Table:
    """AP and AR of each category."""
    table = Table(title="By category", box=box.SIMPLE_HEAD)
    names = ("AP", "AP50", "AP75", "AR1", "AR10", "AR100")
    table.add_column("category", overflow="fold")
    for name in names:
        table.add_column(name, justify="right")
    for category in scores.categories:
        if category.AP < 0:
            table.add_row(Text(f"{category.name} (no ground truth)"), style="dim")
        else:
            table.add_row(Text(category.name), *(figure(getattr(category, name)) for name in names))
    return table


def figure(value: float) -> str:
    """A fraction in three digits, a dash where it is undefined (-1)."""
    return "-" if value < 0 else f"{value:.3f}"
