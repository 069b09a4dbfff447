"""YouTube-VOS scores as a table for the terminal."""

import numpy as np
from rich import box
from rich.markup import escape
from rich.table import Table

from evaluation.youtube_vos import YouTubeVosScores


def youtube_vos_table(scores: YouTubeVosScores) -> Table:
    """A row a video (the mean over its objects), those left out, then the groups, and the mean of them below."""
    table = Table(title="YouTube-VOS", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("video", overflow="fold")
    for name in ("objects", "mean", "J", "F"):
        table.add_column(name, justify="right")
    for video, objects in scores.videos.items():
        if objects:
            means = [float(np.mean(values)) for values in ([one.J for one in objects], [one.F for one in objects])]
            table.add_row(escape(video), str(len(objects)), *_shown(*means))
    for video in scores.left_out:
        table.add_row(f"{escape(video)} (not scored)", style="dim")
    table.add_section()
    for name, group in scores.groups.items():
        table.add_row(f"{name} classes", str(group.objects), *_shown(group.J, group.F))
    objects_in_all = sum(group.objects for group in scores.groups.values())
    table.add_row("overall", str(objects_in_all), f"{scores.overall:.3f}", style="bold")
    return table


def _shown(region: float, contour: float) -> tuple[str, str, str]:
    return f"{(region + contour) / 2:.3f}", f"{region:.3f}", f"{contour:.3f}"
