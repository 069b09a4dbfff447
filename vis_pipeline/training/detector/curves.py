"""The curves of a training as a picture."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from vis_pipeline.files.whole_files import replacing

CURVES_NAME = "curves.png"
_COLUMNS = 3
_FIGURES = 3


def draw_curves(losses: Sequence[Mapping[str, Any]], validations: Sequence[Mapping[str, Any]], picture: Path) -> None:
    """Draw losses, rates and the first figures of the validations over the steps; one of the two records has lines.

    There is one panel a kind, which the stages of a cascade share.
    """
    panels: dict[str, list[str]] = defaultdict(list)
    for name in losses[-1] if losses else ():
        if name != "step":
            panels[name.rpartition(".")[2]].append(name)
    drawn = [(kind, losses, names) for kind, names in panels.items()]
    if validations:
        drawn.append(("validation", validations, [name for name in validations[-1] if name != "step"][:_FIGURES]))
    rows = -(-len(drawn) // _COLUMNS)
    figure = Figure(figsize=(4 * _COLUMNS, 2.6 * rows), layout="constrained")
    for place, (kind, lines, names) in enumerate(drawn, start=1):
        axis = figure.add_subplot(rows, _COLUMNS, place)
        for name in names:
            found = [line for line in lines if name in line]
            steps, values = [line["step"] for line in found], [line[name] for line in found]
            axis.plot(steps, values, label=name, linewidth=1, marker="." if len(found) < 2 else None)
        axis.set(title=kind, xlabel="step")
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
        if len(names) > 1:
            axis.legend(fontsize="small")
    with replacing(picture) as filled:
        figure.savefig(filled, dpi=80, format="png")
