"""DAVIS scores as a table for the terminal."""

from rich import box
from rich.table import Table
from rich.text import Text

from evaluation.davis import DavisScores, Form, Statistics

_TITLES = {
    Form.SINGLE_OBJECT: "DAVIS-2016",
    Form.SEMI_SUPERVISED: "DAVIS-2017, semi-supervised",
    Form.UNSUPERVISED: "DAVIS-2017, unsupervised",
}


def davis_table(scores: DavisScores) -> Table:
    """A row a sequence (the mean over its objects), and the mean over all objects below."""
    table = Table(title=_TITLES[scores.form], box=box.SIMPLE_HEAD, padding=0)
    table.add_column("sequence", overflow="fold")
    for name in ("objects", "J&F", "J\nmean", "J\nrecall", "J\ndecay", "F\nmean", "F\nrecall", "F\ndecay"):
        table.add_column(name, justify="right")
    for sequence in scores.sequences:
        table.add_row(Text(sequence.name), str(len(sequence.objects)), *_numbers(sequence.J, sequence.F))
    objects = sum(len(sequence.objects) for sequence in scores.sequences)
    table.add_section()
    table.add_row("all objects", str(objects), *_numbers(scores.J, scores.F), style="bold")
    return table


def _numbers(region: Statistics, contour: Statistics) -> list[str]:
    figures = [(region.mean + contour.mean) / 2]
    for measure in (region, contour):
        figures += [measure.mean, measure.recall, measure.decay]
    return [f"{figure:.3f}" for figure in figures]
