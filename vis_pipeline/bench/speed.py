"""How fast objects are followed: contenders on the same scene in one process, in turn, so that a busy machine hits all.

Whoever waits for a device is waited for: times are taken with the device idle at both ends.
"""

import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from vis_pipeline.bench.contenders import Contender, LastFrame
from vis_pipeline.bench.speed_scene import Scene
from vis_pipeline.structures.stopwatch import Stopwatch

_WARM_UP_FRAMES = 3
_PROFILED_FRAMES = 4
_PROFILE_ROWS = 15


@dataclass(frozen=True)
class Speed:
    """How fast one contender was.

    Attributes:
        name: the contender's.
        frames_per_second: the median of all repeats.
        slowest, fastest: of the repeats, in frames a second.
        steps: milliseconds a frame of each step, from a pass of its own in which the device is waited for after each.
        rest: milliseconds a frame of that pass outside of the steps.
        peak_memory: most bytes that PyTorch had allocated on a CUDA device, all contenders' weights among them; None on
            the CPU, where only the peak of the whole process is known.
    """

    name: str
    frames_per_second: float
    slowest: float
    fastest: float
    steps: dict[str, float]
    rest: float
    peak_memory: int | None


@dataclass(frozen=True)
class Agreement:
    """How far two contenders are apart in a scene's last frame.

    Attributes:
        pixels: largest difference of a box's coordinate.
        least_iou: of the masks of one target; two empty ones count as 1.
    """

    pixels: float
    least_iou: float


@dataclass(frozen=True)
class Comparison:
    """All contenders on one scene; `agreement` is that of the first two."""

    speeds: tuple[Speed, ...]
    agreement: Agreement


class PatientStopwatch(Stopwatch):
    """Waits for the device before a step begins and before it ends."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self._device = device

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time of the block, and of what it gave the device to do, to a step."""
        synchronise(self._device)
        with super().step(name):
            yield
            synchronise(self._device)


def compare(contenders: Sequence[Contender], scene: Scene, repeats: int, device: torch.device) -> Comparison:
    """Time contenders, two or more, on a scene: after a warm-up all of them in turn, `repeats` times."""
    for contender in contenders:
        _timed(contender.begin(scene.first(_WARM_UP_FRAMES), Stopwatch()), device)
    frames = len(scene.frames) - 1
    rates: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    memory: dict[str, int] = {}
    ends: dict[str, LastFrame] = {}
    for _ in range(repeats):
        for contender in contenders:
            begun = contender.begin(scene, Stopwatch())
            _forget_peak(device)
            seconds, read_end = _timed(begun, device)
            rates[contender.name].append(frames / seconds)
            memory[contender.name] = max(memory.get(contender.name, 0), _peak(device))
            ends[contender.name] = read_end()
    speeds = []
    for contender in contenders:
        watch = PatientStopwatch(device)
        seconds, _ = _timed(contender.begin(scene, watch), device)
        steps = {name: 1000 * spent / frames for name, spent in watch.seconds.items()}
        found = rates[contender.name]
        speeds.append(
            Speed(
                name=contender.name,
                frames_per_second=statistics.median(found),
                slowest=min(found),
                fastest=max(found),
                steps=steps,
                rest=1000 * seconds / frames - sum(steps.values()),
                peak_memory=memory[contender.name] if device.type == "cuda" else None,
            )
        )
    return Comparison(tuple(speeds), agreement(*(ends[contender.name] for contender in contenders[:2])))


def agreement(first: LastFrame, second: LastFrame) -> Agreement:
    """How far the same targets are apart."""
    pixels = float(np.abs(first.boxes - second.boxes).max())
    least = 1.0
    for one, other in zip(first.masks, second.masks, strict=True):
        union = int((one | other).sum())
        if union:
            least = min(least, int((one & other).sum()) / union)
    return Agreement(pixels, least)


def profiled(contender: Contender, scene: Scene, device: torch.device) -> str:
    """What a contender's time goes into, as PyTorch's profiler has it: what dominates, and the tables.

    On CUDA the second table is that of the host, where waits are calls such as cudaStreamSynchronize.
    """
    scene = scene.first(_PROFILED_FRAMES)
    _timed(contender.begin(scene, Stopwatch()), device)
    begun = contender.begin(scene, Stopwatch())
    orders = {"host": "self_cpu_time_total"}
    activities = [ProfilerActivity.CPU]
    if device.type == "cuda":
        orders = {"device": "self_device_time_total", **orders}
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as profiler:
        _timed(begun, device)
    events = profiler.key_averages()
    parts = []
    for place, order in orders.items():
        spent = {event.key: getattr(event, order) / 1000 for event in events}
        first = max(spent, key=lambda key: spent[key])
        share = spent[first] / (sum(spent.values()) or 1)
        parts.append(f"{contender.name}, {place}: {first} dominates, {spent[first]:.1f} ms of it, {share:.0%}")
        parts.append(events.table(sort_by=order, row_limit=_PROFILE_ROWS, max_name_column_width=50))
    return "\n".join(parts)


def synchronise(device: torch.device) -> None:
    """Wait until a CUDA device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_of_process() -> int:
    """Bytes of memory that this process has had at most, so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _timed(run: Callable[[], Callable[[], LastFrame]], device: torch.device) -> tuple[float, Callable[[], LastFrame]]:
    synchronise(device)
    start = time.perf_counter()
    outcome = run()
    synchronise(device)
    return time.perf_counter() - start, outcome


def _forget_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def _peak(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
