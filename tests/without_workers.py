"""Tracking in the test's own process: starting Ray and its workers costs more than tracking short videos."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext

import pytest

from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.runs.parallel import RaySettings, RunReport, VideoTask, Worker, run_in_process
from vis_pipeline.runs.progress import ProgressListener


def track_here(patch: pytest.MonkeyPatch) -> None:
    """Commands track in this process, one video after another."""
    patch.setattr("vis_pipeline.runs.start.run_videos", _in_this_process)
    for module in ("bench.tuning", "bench.ablation", "runs.parallel.cluster"):
        patch.setattr(f"vis_pipeline.{module}.ray_session", nullcontext)


def _in_this_process(
    tasks: Sequence[VideoTask],
    make_worker: Callable[[], Worker],
    folder: RunFolder,
    _: RaySettings,
    progress: ProgressListener,
) -> RunReport:
    return run_in_process(tasks, make_worker, folder, progress)
