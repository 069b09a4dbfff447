"""What the figures of single-object tracking are read off, as one picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from evaluation.single_object.boxes import Values
from evaluation.single_object.protocols import ProtocolScores
from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import replacing

COLOUR = "#2f5d8a"


@dataclass(frozen=True)
class Curve:
    """One curve.

    Attributes:
        title: above it.
        across, up: what its axes measure.
        places: float64 [N], where its values stand on the first axis.
        values: float64 [N].
        figure: what is read off it, as text.
    """

    title: str
    across: str
    up: str
    places: Values
    values: Values
    figure: str


# By the name of a protocol's curve: title, axes, where its last value stands, and the figures that are read off it.
_FORMS = {
    "success": ("Success", "overlap", "share of frames above", 1.0, ("AUC", "AO")),
    "precision": ("Precision", "distance of centres, pixels", "share of frames within", 50.0, ("precision@20",)),
    "normalised_precision": (
        "Normalised precision",
        "distance of centres, of the true box",
        "share of frames within",
        0.5,
        ("normalised@0.2", "normalised AUC"),
    ),
}


def curves_of(scores: ProtocolScores) -> tuple[Curve, ...]:
    """The curves of scores, none where their protocol has none."""
    found = []
    for name, values in scores.curves.items():
        if name == "EAO":
            lengths = np.arange(len(values), dtype=np.float64)
            across = "length of the sequence, frames"
            found.append(
                Curve("Expected average overlap", across, "overlap", lengths, values, _read_off(scores, ("EAO",)))
            )
        elif name in _FORMS:
            title, across, up, last, figures = _FORMS[name]
            places = np.linspace(0, last, len(values))
            found.append(Curve(title, across, up, places, values, _read_off(scores, figures)))
    return tuple(found)


def draw_curves(name: str, curves: Sequence[Curve], path: Path) -> None:
    """Write curves side by side as PNG, whatever the path's ending.

    Raises:
        DataError: there is none, or the file cannot be written.
    """
    if not curves:
        raise DataError(f"picture {path}: {name} has no curves to draw")
    with rc_context({"text.parse_math": False}):
        canvas = FigureCanvasAgg(_figure(name, curves))
        try:
            with replacing(path) as filled, filled.open("wb") as file:
                canvas.print_png(file)
        except OSError as error:
            raise DataError(f"picture {path}: cannot be written ({error.strerror})") from error


def _figure(name: str, curves: Sequence[Curve]) -> Figure:
    figure = Figure(figsize=(4.6 * len(curves), 4.2), layout="constrained")
    figure.suptitle(name, weight="bold", size=13)
    for number, curve in enumerate(curves, start=1):
        axes = figure.add_subplot(1, len(curves), number)
        axes.plot(curve.places, curve.values, color=COLOUR, linewidth=2)
        axes.set_title(f"{curve.title}   {curve.figure}", loc="left", size=11)
        axes.set_xlabel(curve.across)
        axes.set_ylabel(curve.up)
        axes.set_xlim(float(curve.places[0]), max(float(curve.places[-1]), float(curve.places[0]) + 1e-9))
        axes.set_ylim(0, 1)
        axes.grid(color="#dddddd")
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _read_off(scores: ProtocolScores, names: Sequence[str]) -> str:
    known = [(name, scores.overall[name]) for name in names if name in scores.overall]
    return ", ".join(f"{name} {'-' if np.isnan(value) else format(value, '.3f')}" for name, value in known)
