"""Scores as tables for the terminal."""

from rich.table import Table

from evaluation.youtube_vis import Scores


def headline_table(scores: Scores) -> Table:
    """AP over AR: three columns of thresholds or limits, three of sizes."""
    table = Table(title="YouTube-VIS")
    rows = (("AP", "AP50", "AP75", "APs", "APm", "APl"), ("AR1", "AR10", "AR100", "ARs", "ARm", "ARl"))
    for name in rows[0]:
        table.add_column(name, justify="right")
    values = scores.to_json()
    table.add_row(*(_number(values[name]) for name in rows[0]), end_section=True)
    table.add_row(*(f"[bold]{name}[/bold]" for name in rows[1]), end_section=True)
    table.add_row(*(_number(values[name]) for name in rows[1]))
    return table


def category_table(scores: Scores) -> Table:
    """AP of each category."""
    table = Table(title="AP by category")
    table.add_column("category", overflow="fold")
    table.add_column("AP", justify="right")
    for name, value in scores.per_category.items():
        table.add_row(
            name, "no ground truth" if value is None else _number(value), style="dim" if value is None else None
        )
    return table


def _number(value: float) -> str:
    return "-" if value < 0 else f"{value:.3f}"
