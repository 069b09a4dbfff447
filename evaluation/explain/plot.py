"""The error analysis as one picture: costs by kind, the worst videos, and the confusion between classes."""

from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from evaluation.explain.analysis import Confusion, Explanation
from evaluation.explain.kinds import Kind
from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import replacing

MOST_VIDEOS = 12
MOST_CLASSES = 24
LONGEST_NAME = 22
AP_COLOUR, AP50_COLOUR, VIDEO_COLOUR = "#2f5d8a", "#a9c4de", "#b5543c"
GREY = "#666666"


def draw(explanation: Explanation, path: Path) -> None:
    """Write the picture as PNG, whatever the path's ending.

    Of many classes the confusion shows those with the most errors, of many videos the worst.

    Raises:
        DataError: the file cannot be written.
    """
    # Names are no formulas, though they may have dollar signs.
    with rc_context({"text.parse_math": False}):
        canvas = FigureCanvasAgg(_figure(explanation))
        try:
            with replacing(path) as filled, filled.open("wb") as file:
                canvas.print_png(file)
        except OSError as error:
            raise DataError(f"picture {path}: cannot be written ({error.strerror})") from error


def _figure(explanation: Explanation) -> Figure:
    figure = Figure(figsize=(17, 10), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(0.8, 1), height_ratios=(1, 1.1))
    scores = explanation.scores
    figure.suptitle(f"Why is my AP low?   AP {_score(scores.AP)}   AP50 {_score(scores.AP50)}", weight="bold", size=15)
    _draw_kinds(figure.add_subplot(grid[0, 0]), explanation)
    _draw_videos(figure.add_subplot(grid[1, 0]), explanation)
    _draw_confusion(figure.add_subplot(grid[:, 1]), explanation.confusion)
    return figure


def _draw_kinds(axes: Axes, explanation: Explanation) -> None:
    errors = sorted(explanation.errors, key=lambda error: (error.dAP, error.count))
    rows = np.arange(len(errors))
    for offset, colour, name, gains in (
        (0.19, AP_COLOUR, "AP", [error.dAP for error in errors]),
        (-0.19, AP50_COLOUR, "AP50", [error.dAP50 for error in errors]),
    ):
        bars = axes.barh(rows + offset, gains, height=0.36, color=colour, label=name)
        axes.bar_label(bars, [f"{gain:+.3f}" if abs(gain) >= 0.0005 else "" for gain in gains], padding=3, size=9)
    axes.set_yticks(rows, [f"{error.kind}  ({error.count})" for error in errors])
    axes.set_title("What fixing one kind alone would add", loc="left", size=12)
    axes.legend(loc="lower right", frameon=False)
    _plain(axes, 0.15)


def _draw_videos(axes: Axes, explanation: Explanation) -> None:
    videos = explanation.worst_videos[:MOST_VIDEOS][::-1]
    axes.set_title("Worst videos: what AP would gain if their errors no longer counted", loc="left", size=12)
    bars = axes.barh(np.arange(len(videos)), [video.cost for video in videos], height=0.7, color=VIDEO_COLOUR)
    labels = []
    for video in videos:
        loose = video.counts[Kind.LOOSE_MASK.value]
        own = "-" if video.AP is None else f"{video.AP:.2f}"
        labels.append(f"{video.cost:+.4f}   own AP {own}, {sum(video.counts.values()) - loose} errors, {loose} loose")
    axes.bar_label(bars, labels, padding=3, size=9, color="#333333")
    axes.set_yticks(np.arange(len(videos)), [_shortened(video.name) for video in videos])
    _plain(axes, 0.45)
    if not videos:
        axes.text(0.5, 0.5, "no errors", ha="center", va="center", transform=axes.transAxes, color=GREY)


def _draw_confusion(axes: Axes, confusion: Confusion) -> None:
    """Counts in the cells; the colour is a cell's share in its row."""
    matrix = np.array(confusion.matrix, dtype=np.int64)
    chosen = _most_confused(matrix)
    picked = np.append(chosen, len(matrix) - 1)
    shown = matrix[np.ix_(picked, picked)]
    share = shown / np.maximum(shown.sum(axis=1, keepdims=True), 1)
    axes.imshow(np.where(shown > 0, share, np.nan), cmap="Blues", vmin=-0.08, vmax=1.1, aspect="equal")
    size = float(np.clip(185 / len(picked), 7, 11))
    for row, column in np.argwhere(shown > 0):
        colour = "white" if share[row, column] > 0.6 else "black"
        axes.text(column, row, str(shown[row, column]), ha="center", va="center", size=size, color=colour)
    names = [_shortened(confusion.names[index]) for index in chosen]
    axes.set_xticks(np.arange(len(picked)), [*names, "no match"], rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(np.arange(len(picked)), [*names, "background"])
    axes.tick_params(length=0, labelsize=float(np.clip(200 / len(picked), 8, 11)))
    for edge in (axes.axhline, axes.axvline):
        edge(len(chosen) - 0.5, color=GREY, linewidth=0.8)
    axes.spines[:].set_color("#cccccc")
    title = "Predicted class of the tracks on each class of object"
    if len(chosen) < len(confusion.names):
        title += f"\n{len(chosen)} of {len(confusion.names)} classes, those with the most errors"
    axes.set_title(title, loc="left", size=12)
    axes.set_ylabel("object that the track overlaps at IoU 0.5")
    axes.set_xlabel("predicted class")


def _most_confused(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices of the classes to show, sorted: all, or those with the most counts off the diagonal."""
    off = matrix - np.diag(np.diag(matrix))
    errors = (off.sum(axis=0) + off.sum(axis=1))[:-1]
    return np.sort(np.argsort(-errors, kind="stable")[:MOST_CLASSES])


def _plain(axes: Axes, margin: float) -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8, colors=GREY)
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.margins(x=margin)


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _score(value: float) -> str:
    return "-" if value < 0 else f"{value:.3f}"
