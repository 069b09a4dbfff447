"""`bench speed`: contenders that do the same work, and the command's figures; nothing here depends on the clock."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from numpy.typing import NDArray
from typer.testing import CliRunner

from vis_pipeline.bench.contenders import Engine, LastFrame, Ours, Stock
from vis_pipeline.bench.speed import PatientStopwatch, agreement, compare, profiled
from vis_pipeline.bench.speed_scene import Scene, drawn_frames, placed_boxes, scene
from vis_pipeline.cli import bench
from vis_pipeline.errors import ConfigError
from vis_pipeline.structures.stopwatch import Stopwatch
from vis_pipeline.trackers.lifecycle.settings import TrackingSettings
from vis_pipeline.trackers.siammask.checkpoint import load_siammask
from vis_pipeline.trackers.siammask.settings import SiamMaskSettings
from vis_pipeline.weights.registry import BUNDLED

CPU = torch.device("cpu")
SETTINGS = SiamMaskSettings(stages=2)


@pytest.fixture(scope="module")
def work() -> Scene:
    return scene(drawn_frames(160, 96, 4, 0), 3, 0)


@pytest.mark.parametrize(("width", "height", "count"), [(640, 360, 50), (1280, 720, 1), (160, 96, 3), (90, 160, 7)])
def test_boxes_lie_apart_in_the_frame(width: int, height: int, count: int) -> None:
    boxes = placed_boxes(width, height, count, 4)
    taken = np.zeros((height, width), dtype=int)
    for x, y, w, h in boxes.astype(int):
        assert w >= 5 and h >= 5 and min(x, y) >= 0 and x + w <= width and y + h <= height
        taken[y : y + h, x : x + w] += 1
    assert len(boxes) == count and taken.max() == 1
    np.testing.assert_array_equal(boxes, placed_boxes(width, height, count, 4))


def test_boxes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="--objects 200: frames of 160x96 have no room"):
        placed_boxes(160, 96, 200, 0)


class Counting:
    """A detector that finds nothing and counts what it is shown."""

    def __init__(self) -> None:
        self.shown: list[int] = []

    def detect(self, frames: object) -> list[object]:
        count = len(frames) if isinstance(frames, (list, tuple)) else 1
        self.shown.append(count)
        return [None] * count


@pytest.mark.parametrize("stages", [1, 2])
def test_contenders_do_the_same(work: Scene, stages: int) -> None:
    network = load_siammask(BUNDLED["siammask_small"].path)
    settings = SiamMaskSettings(stages=stages)  # type: ignore[arg-type]
    watches = [Stopwatch(), Stopwatch(), Stopwatch()]
    detectors = [Counting(), Counting(), Counting()]
    contenders = (
        Stock(network, settings, CPU, detectors[0]),
        Ours(network, settings, CPU, (detectors[1], 2)),  # type: ignore[arg-type]
        Engine(network, settings, TrackingSettings(), CPU, (detectors[2], 2)),  # type: ignore[arg-type]
    )
    ends = [one.begin(work, watch)()() for one, watch in zip(contenders, watches, strict=True)]
    apart = agreement(ends[0], ends[1])
    assert apart.pixels < 0.01 and apart.least_iou > 0.99
    assert ends[0].masks.any()
    # Every track is alive and shows its detection, in the order of births, which is that of equal scores.
    np.testing.assert_array_equal(ends[2].masks, work.masks)
    steps = {"detect", "locate", "segment", "paste", "associate"}
    assert [set(watch.seconds) for watch in watches] == [steps, steps, {*steps, "encode"}]
    # Our parts begin the engine's tracks at the first frame, and see the others two at a time.
    assert [detector.shown for detector in detectors] == [[1, 1, 1], [2, 1], [1, 2, 1]]


def test_differences_are_told() -> None:
    def end(x: int, masks: NDArray[np.bool_]) -> LastFrame:
        return LastFrame(np.array([[x, 2.0, 3.0, 4.0]]), masks)

    full, half = np.ones((1, 2, 2), dtype=np.bool_), np.array([[[True, True], [False, False]]])
    empty = np.zeros_like(full)
    assert agreement(end(1, full), end(3, half)).pixels == 2
    assert agreement(end(1, full), end(3, half)).least_iou == 0.5
    assert agreement(end(1, empty), end(1, empty)).least_iou == 1


class Instant:
    """A contender that does nothing, and counts how often and how far."""

    def __init__(self, name: str, log: list[tuple[str, int]]) -> None:
        self.name = name
        self.log = log

    def begin(self, scene: Scene, watch: Stopwatch) -> Callable[[], Callable[[], LastFrame]]:
        def run() -> Callable[[], LastFrame]:
            with watch.step("locate"):
                self.log.append((self.name, len(scene.frames)))
            return lambda: LastFrame(scene.boxes, scene.masks)

        return run


def test_contenders_take_turns(work: Scene) -> None:
    log: list[tuple[str, int]] = []
    found = compare([Instant("a", log), Instant("b", log)], work, 2, CPU)
    # A warm-up of three frames, two repeats in turn, and the pass for the steps.
    assert log == [("a", 3), ("b", 3), *[("a", 4), ("b", 4)] * 2, ("a", 4), ("b", 4)]
    for speed, name in zip(found.speeds, "ab", strict=True):
        assert speed.name == name and set(speed.steps) == {"locate"} and speed.peak_memory is None
        assert 0 < speed.slowest <= speed.frames_per_second <= speed.fastest
    assert (found.agreement.pixels, found.agreement.least_iou) == (0, 1)


def test_a_profile_names_what_dominates(work: Scene) -> None:
    network = load_siammask(BUNDLED["siammask_small"].path)
    text = profiled(Ours(network, SETTINGS, CPU), work.first(2), CPU)
    assert text.startswith("ours, host: aten::") and " dominates, " in text and "Self CPU" in text


def test_steps_of_the_host_need_no_device() -> None:
    watch = PatientStopwatch(CPU)
    with watch.step("paste"):
        pass
    assert watch.seconds["paste"] >= 0


def run(*options: object) -> tuple[str, BaseException | None]:
    app = typer.Typer(pretty_exceptions_enable=False)
    bench.register(app)
    outcome = CliRunner(env={"COLUMNS": "160"}).invoke(app, ["bench", "speed", *map(str, options)])
    return outcome.output, outcome.exception


SMALL = ("--config", "procedural_small", "--device", "cpu", "--frames", 2, "--repeats", 1)


def test_the_command_prints_and_writes_figures(tmp_path: Path) -> None:
    sizes = ("--sizes", "160x96", "--objects", "1,2", "--stages", 2)
    output, fault = run(*SMALL, *sizes, "--json", tmp_path / "out.json", "--profile")
    assert fault is None, output
    assert "160x96, two stages" in output and "maxrss" in output and "dominates" in output
    written = json.loads((tmp_path / "out.json").read_text())
    assert [(case["objects"], case["stages"]) for case in written["cases"]] == [(1, 2), (2, 2)]
    assert written["device"] == "cpu" and written["detector"] == "recipes/htc_small_mixed"
    for case in written["cases"]:
        assert [speed["name"] for speed in case["speeds"]] == ["stock", "ours", "engine"]
        assert all(speed["frames_per_second"] > 0 and "detect" in speed["steps"] for speed in case["speeds"])
        assert case["agreement"]["pixels"] < 0.01 and case["agreement"]["least_iou"] > 0.99


def test_the_command_times_other_weights_without_the_detector() -> None:
    options = ("--tracker-only", "--weights", "bundled:siammask_small", "--stages", 1, "--sizes", "160x96")
    output, fault = run(*SMALL, *options, "--objects", 1, "--cfg-options", "tracker=last_mask")
    assert fault is None, output
    assert "160x96, one stage" in output and "bundled:siammask_small" in output and "detect" not in output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--sizes", "640"), "--sizes 640: not WIDTHxHEIGHT"),
        (("--sizes", "640x20"), "--sizes 640x20: not WIDTHxHEIGHT, at least 64x64"),
        (("--stages", "3"), "--stages 3: is neither 1 nor 2"),
        (("--objects", "0"), "--objects 0: not a number above 0"),
        (("--objects", ","), "--sizes, --stages and --objects: each needs to name one"),
        (("--objects", "900", "--sizes", "160x96"), "--objects 900: frames of 160x96 have no room"),
        (("--json", "nowhere/at/all.json"), "--json nowhere/at/all.json: there is no folder nowhere/at"),
        (("--cfg-options", "tracker=last_mask"), "config procedural_small: has no SiamMask to time"),
    ],
)
def test_what_cannot_be_timed_is_refused(options: tuple[str, ...], message: str) -> None:
    _, fault = run(*SMALL, *options)
    assert isinstance(fault, ConfigError) and message in str(fault)
