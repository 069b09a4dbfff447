"""Tracking metrics as tables for the terminal."""

from rich import box
from rich.table import Table
from rich.text import Text

from evaluation.track_metrics import CategoryTrackFigures, TrackMetrics

# What the table by category shows of the figures there are; the JSON has them all.
HEADLINES = ("HOTA", "DetA", "AssA", "IDF1", "MOTSA", "sMOTSA", "AP")


def track_metrics_table(metrics: TrackMetrics) -> Table:
    """Every figure: over all categories, over those that are present, and with every mask weighing the same."""
    counted = "" if metrics.score_threshold is None else f", score >= {metrics.score_threshold:g}"
    table = Table(title=f"Tracking metrics (TrackEval{counted})")
    table.add_column("")
    for name in ("all categories", "present categories", "pooled masks"):
        table.add_column(name, justify="right")
    averages = (metrics.overall, metrics.present, metrics.pooled)
    for name in metrics.overall.fractions:
        table.add_row(name, *(_fraction(name, average.fractions[name]) for average in averages))
    table.add_section()
    for name in metrics.overall.counts:
        table.add_row(name, *(str(average.counts[name]) for average in averages))
    return table


def category_metrics_table(metrics: TrackMetrics) -> Table:
    """The headline figures of each category; dim where it has neither ground truth nor predictions."""
    table = Table(title="Tracking metrics by category", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("category", overflow="fold")
    names = [name for name in HEADLINES if name in metrics.overall.fractions]
    for name in ("objects", "tracks", *names):
        table.add_column(name, justify="right")
    for category in metrics.categories:
        empty = not category.truths and not category.predictions
        numbers = ["-"] * len(names) if empty else _fractions(category, names)
        table.add_row(
            Text(category.name),
            str(category.truths),
            str(category.predictions),
            *numbers,
            style="dim" if empty else None,
        )
    return table


def _fractions(category: CategoryTrackFigures, names: list[str]) -> list[str]:
    return [_fraction(name, category.figures.fractions[name]) for name in names]


def _fraction(name: str, value: float) -> str:
    undefined = value == -1 and name.startswith(("AP", "AR"))
    return "-" if undefined else f"{value:.3f}"
