"""The record of a training: losses as JSON lines, for TensorBoard, and as a picture of curves."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.files.whole_files import replacing
from vis_pipeline.training.json_lines import append_line, keep_before, read_lines

_SMOOTHED_OVER = 40
"""A curve is drawn through means of about so many stretches of the run."""


class Meter:
    """Means of what the steps gave since the last line."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self._losses: list[dict[str, float]] = []
        self._gradients: list[float] = []
        self._since = time.perf_counter()

    def add(self, losses: dict[str, float], gradient: float) -> None:
        """Count a step: its losses, and the norm of its gradient before it was clipped."""
        self._losses.append(losses)
        self._gradients.append(gradient)

    def line(self, step: int, rate: float) -> dict[str, Any]:
        """The line of a log, and a new beginning."""
        now = time.perf_counter()
        losses = {name: float(np.mean([entry[name] for entry in self._losses])) for name in self._losses[-1]}
        speed = len(self._losses) * self._batch / (now - self._since)
        gradient = float(np.mean(self._gradients))
        self._losses, self._gradients, self._since = [], [], now
        return {
            "step": step,
            "learning_rate": rate,
            "pairs_per_second": round(speed, 2),
            "gradient_norm": gradient,
            "losses": losses,
        }


class TrainingLog:
    """Lines on disk and, if wanted, in a folder for TensorBoard; those of an earlier run from `first_step` on go.

    Raises:
        ConfigError: TensorBoard is wanted and not installed.
        DataError: the disk takes no more.
    """

    def __init__(self, path: Path, first_step: int, tensorboard: Path | None) -> None:
        self._path = path
        self._board = None if tensorboard is None else _board(tensorboard, first_step)
        keep_before(path, first_step)

    def append(self, line: Mapping[str, Any]) -> None:
        """Add one line."""
        with _writing(self._path):
            append_line(self._path, line)
        if self._board is not None:
            for name in ("learning_rate", "pairs_per_second", "gradient_norm"):
                self._board.add_scalar(name, line[name], line["step"])
            for name, value in line["losses"].items():
                self._board.add_scalar(f"losses/{name}", value, line["step"])

    def close(self) -> None:
        """Write what is still in memory."""
        if self._board is not None:
            self._board.close()


def draw_curves(log: Path, picture: Path) -> None:
    """Draw the learning rate and every loss over the steps, each pale as it was and dark as a mean over stretches.

    Raises:
        DataError: the picture cannot be written.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    lines = read_lines(log)
    if not lines:
        return
    names = ["learning rate", *lines[-1]["losses"]]
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    size = (3.6 * columns, 2.8 * rows)
    figure, grid = pyplot.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for axis in grid.flat[len(names) :]:
        axis.remove()
    steps = np.array([line["step"] for line in lines])
    for axis, name in zip(grid.flat, names, strict=False):
        if name == "learning rate":
            axis.plot(steps, [line["learning_rate"] for line in lines], color="tab:orange")
        else:
            values = np.array([line["losses"].get(name, np.nan) for line in lines])
            axis.plot(steps, values, color="tab:blue", alpha=0.3, linewidth=0.8)
            axis.plot(*_stretches(steps, values), color="tab:blue")
        axis.set(title=name, xlabel="step", ylim=(0, None))
        axis.grid(alpha=0.3)
    with _writing(picture), replacing(picture) as filled:
        figure.savefig(filled, dpi=90, format="png")
    pyplot.close(figure)


def _stretches(steps: NDArray[Any], values: NDArray[Any]) -> tuple[list[float], list[float]]:
    """Means over stretches of equal length."""
    parts: Sequence[NDArray[Any]] = np.array_split(np.arange(len(steps)), min(_SMOOTHED_OVER, len(steps)))
    return [float(steps[part].mean()) for part in parts], [float(values[part].mean()) for part in parts]


def _board(folder: Path, first_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ConfigError(
            "--tensorboard: needs the package tensorboard; run `pip install tensorboard` or "
            "`pip install vis_pipeline[tensorboard]`"
        ) from error
    return SummaryWriter(str(folder), purge_step=first_step)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error})") from error
