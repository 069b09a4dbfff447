"""The record of a training: losses as JSON lines, and their curves as a picture."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def start_log(path: Path, first_step: int) -> None:
    """Keep the lines of an earlier run that come before `first_step`."""
    lines = [line for line in read_log(path) if line["step"] < first_step] if path.exists() else []
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def append_log(path: Path, values: Mapping[str, Any]) -> None:
    """Add one line."""
    with path.open("a") as file:
        file.write(json.dumps(values) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """All lines, without one that a kill cut short."""
    found = []
    for line in path.read_text().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found


def draw_curves(log: Path, picture: Path) -> None:
    """Draw every loss, and the learning rate, over the steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    lines = read_log(log)
    if not lines:
        return
    names = ["learning_rate", *lines[-1]["losses"]]
    figure, axes = pyplot.subplots(1, len(names), figsize=(3.2 * len(names), 3), layout="constrained")
    steps = [line["step"] for line in lines]
    for axis, name in zip(axes, names, strict=True):
        axis.plot(steps, [line["learning_rate"] if name == "learning_rate" else line["losses"][name] for line in lines])
        axis.set(title=name, xlabel="step", ylim=(0, None))
    figure.savefig(picture, dpi=80)
    pyplot.close(figure)
