"""`bench followers` and `bench patches`: trackers side by side."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from vis_pipeline import masks
from vis_pipeline.bench.followers import Contender, compare, true_objects
from vis_pipeline.bench.patches import compare_on_patches, patches
from vis_pipeline.cli.app import app
from vis_pipeline.data.splits import split_to_json
from vis_pipeline.errors import DataError, UserError
from vis_pipeline.masks.rotated_boxes import minmax_box
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
from vis_pipeline.trackers.siammask.checkpoint import save_siammask
from vis_pipeline.trackers.siammask.geometry import context_side
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.trackers.siammask.predictor import Prediction, TargetStates

HEIGHT, WIDTH, FRAMES, SIDE = 60, 100, 5, 20


def square(x: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[10 : 10 + SIDE, x : x + SIDE] = True
    return mask


# The first object is hidden in frame 2, the second begins in frame 1, the third shows once, the fourth is a crowd.
PLACES = [[0, 2, None, 6, 8], [None, 40, 42, 44, 46], [None, 70, None, None, None], [0] * FRAMES]


@pytest.fixture
def material(tmp_path: Path) -> tuple[Split, Path]:
    names = tuple(f"v/{index:05d}.png" for index in range(FRAMES))
    (tmp_path / "v").mkdir()
    for name in names:
        cv2.imwrite(str(tmp_path / name), np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8))
    objects = tuple(
        Annotation(
            number,
            7,
            1,
            tuple(None if x is None else masks.encode(square(x)[None])[0] for x in places),
            None,
            iscrowd=number == 4,
        )
        for number, places in enumerate(PLACES, start=1)
    )
    return Split((Video(7, WIDTH, HEIGHT, FRAMES, names),), (Category(1, "thing"),), objects), tmp_path


class Still:
    """Says that an object is where it was begun, or where its state was moved to."""

    def __init__(self, report: str) -> None:
        self.report = report

    def initialise(self, image: torch.Tensor, boxes: torch.Tensor) -> TargetStates:
        self.begun = boxes[0]
        return TargetStates(
            torch.zeros(1, 1, 7, 7),
            boxes[:, :2] + boxes[:, 2:] / 2,
            boxes[:, 2:],
            torch.ones(1),
            torch.zeros(1, 3, dtype=torch.uint8),
        )

    def predict(self, image: torch.Tensor, states: TargetStates) -> Prediction:
        mask = torch.from_numpy(square(int(self.begun[0])))[None] if self.report == "mask" else None
        return Prediction(states, states.boxes, states.boxes, states.scores, mask, None)


def test_overlaps_are_over_the_frames_that_show_the_object(material: tuple[Split, Path]) -> None:
    split, frames = material
    contenders = [Contender("box", Still("box")), Contender("mask", Still("mask"))]
    found = {row.name: row for row in compare(contenders, true_objects(split, frames))}
    # Moved by 2, 6, 8 (4 is hidden) and by 2, 4, 6.
    overlaps = np.array([(SIDE - d) / (SIDE + d) for d in (2, 6, 8, 2, 4, 6)])
    for row in found.values():
        assert row.frames == len(overlaps)
        assert row.upright == pytest.approx(overlaps.mean())
        assert row.frames_per_second > 0
    assert found["box"].rotated == pytest.approx(overlaps.mean())
    assert found["box"].at_half == pytest.approx((overlaps >= 0.5).mean())
    assert found["box"].at_seventy == pytest.approx((overlaps >= 0.7).mean())
    assert (found["box"].region, found["mask"].region) == (None, pytest.approx(overlaps.mean()))
    # The release's rectangle goes through the centres of a mask's outermost pixels.
    inner = np.array([(SIDE - 1) * (SIDE - 1 - d) for d in (2, 6, 8, 2, 4, 6)])
    assert found["mask"].rotated == pytest.approx((inner / (SIDE**2 + (SIDE - 1) ** 2 - inner)).mean(), abs=1e-6)


def test_a_split_without_objects_to_follow_is_refused(material: tuple[Split, Path]) -> None:
    split, frames = material
    alone = Split(split.videos, split.categories, split.annotations[2:])
    for run in (compare, lambda *given: compare_on_patches(*given, count=1, seed=0)):
        with pytest.raises(DataError, match="no object that shows in two frames"):
            run([Contender("box", Still("box"))], true_objects(alone, frames))


def test_patches_are_moved_and_scaled_within_bounds_and_keep_the_first_shape(material: tuple[Split, Path]) -> None:
    entry = next(true_objects(*material))
    drawn = [patch for seed in range(60) for patch in patches(entry, 2, np.random.default_rng(seed))]
    assert len(drawn) == 120
    shifts, scales = [], []
    for patch in drawn:
        true = minmax_box(patch.mask)
        pixel = context_side(*patch.box[2:]) / 127
        shifts.append((patch.box[:2] + patch.box[2:] / 2 - true.mean(axis=0)) / pixel)
        scales.append(np.log2(patch.box[2:] / SIDE))
    assert 14 < np.abs(shifts).max() <= 16
    assert 0.2 < np.abs(scales).max() <= 0.25
    assert np.ptp(scales, axis=1).max() < 1e-9
    pair = patches(entry, 2, np.random.default_rng(1))
    assert not np.array_equal(pair[0].mask, pair[1].mask)
    assert len(patches(entry, 99, np.random.default_rng(1))) == 3


def test_table_4_has_the_oracles_and_a_row_for_each_box_of_a_mask(material: tuple[Split, Path]) -> None:
    split, frames = material
    rows = compare_on_patches(
        [Contender("a", Still("box")), Contender("b", Still("mask"))], true_objects(split, frames), 3, 0
    )
    found = {row.way: row for row in rows}
    assert list(found) == ["fixed ratio, oracle", "Min-max, oracle", "a", "b, Min-max", "b, MBR", "b, Opt"]
    assert {row.masks for row in rows} == {6}
    # The object is a square: an upright square is its box.
    assert found["fixed ratio, oracle"].mean_iou == pytest.approx(1)
    assert found["b, MBR"].mean_iou == pytest.approx(
        np.mean([(SIDE - d) / (SIDE + d) for d in (2, 6, 8, 2, 4, 6)]), abs=1e-6
    )
    assert 0.3 < found["a"].mean_iou < 0.9


@pytest.fixture
def weights(tmp_path: Path) -> dict[str, str]:
    paths = {name: tmp_path / f"{name}.safetensors" for name in ("siamfc_small", "small")}
    for name, path in paths.items():
        torch.manual_seed(0)
        save_siammask(path, SiamMask(ARCHITECTURES[name]))
    return {name: str(path) for name, path in paths.items()}


def invoke(*arguments: object) -> object:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_commands(material: tuple[Split, Path], weights: dict[str, str], tmp_path: Path) -> None:
    split, frames = material
    (tmp_path / "split.json").write_text(json.dumps(split_to_json(split)))
    given = (weights["siamfc_small"], f"box={weights['small']}:box", "--split", tmp_path / "split.json")
    given += ("--frames", frames, "--json", tmp_path / "out.json", "--device", "cpu")
    result = invoke("bench", "followers", *given)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "out.json").read_text())
    assert [(row["name"], row["report"]) for row in found] == [("siamfc_small", "score"), ("box", "box")]
    result = invoke("bench", "patches", *given, "--count", "1")
    assert result.exit_code == 0, result.output
    assert [row["way"] for row in json.loads((tmp_path / "out.json").read_text())][2:] == ["siamfc_small", "box"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["{siamfc_small}:mask"], r"siamfc_small\.safetensors: report 'mask': not of these weights"),
        (["{small}", "small={small}:box"], "two trackers are called small"),
        (["{small}", "--preset", "other"], "--preset other: is none of davis, vot, vot18"),
        (["nowhere.pth"], r"nowhere\.pth"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    material: tuple[Split, Path], weights: dict[str, str], tmp_path: Path, given: list[str], message: str
) -> None:
    (tmp_path / "split.json").write_text(json.dumps(split_to_json(material[0])))
    rest = ("--split", tmp_path / "split.json", "--frames", material[1])
    with pytest.raises(UserError, match=message):
        raise invoke("bench", "followers", *(text.format(**weights) for text in given), *rest).exception
