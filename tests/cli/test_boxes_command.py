"""`bench boxes` as a user runs it, and the files that it reads."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vis_pipeline.bench.boxes import MaskWithBox, box_corners, drawn_cases, filled, fixed_ratio_box, qualities
from vis_pipeline.data.rotated_truth import read_boxes
from vis_pipeline.errors import DataError

SIZE = (80, 100)


def write_sequence(folder: Path, name: str, boxes: list[np.ndarray], lines: list[str] | None = None) -> None:
    (folder / "masks" / name).mkdir(parents=True)
    (folder / "truth" / name).mkdir(parents=True)
    for index, box in enumerate(boxes, start=1):
        mask = filled("rectangle", box, SIZE)
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / name / f"{index:08}.png")
    given = [",".join(f"{value:.4f}" for value in box.ravel()) for box in boxes] if lines is None else lines
    (folder / "truth" / name / "groundtruth.txt").write_text("\n".join(given) + "\n")


def rows(path: Path) -> dict[str, dict[str, float]]:
    return {way["way"]: way for way in json.loads(path.read_text())["all"]}


def test_sequences_are_measured_and_those_with_faults_are_left_out(command, tmp_path: Path) -> None:
    boxes = [box_corners(50, 40, 60, 24, angle) for angle in (0.6, 0.9)]
    write_sequence(tmp_path, "a", boxes)
    write_sequence(tmp_path, "b", boxes, ["1,2,3,4"])
    write_sequence(tmp_path, "c", boxes, ["nan,2,3,4", "0,0,0,0"])
    out = tmp_path / "figures.json"
    code, printed, warned = command(
        "bench", "boxes", "--masks", tmp_path / "masks", "--truth", tmp_path / "truth", "--json", out
    )
    assert code == 0, warned
    assert "sequence b: 2 masks, but 1 lines in groundtruth.txt; the sequence is left out" in warned
    assert "2 frames without an object or a box are left out" in warned
    assert "all: 2 masks" in printed
    found = rows(out)
    assert found["Opt"]["mean_iou"] > 0.95 and found["Opt"]["at_seventy"] == 1
    assert found["Min-max"]["mean_iou"] < 0.6


def test_what_cannot_be_measured_is_one_line(command, tmp_path: Path) -> None:
    code, _, err = command("bench", "boxes")
    assert code == 2 and "give --masks and --truth, or --drawn alone" in err
    (tmp_path / "masks" / "a").mkdir(parents=True)
    code, _, err = command("bench", "boxes", "--masks", tmp_path / "masks", "--truth", tmp_path)
    assert code == 2 and "sequence a: folder" in err and "no frame has a mask and a box" in err


def test_the_figures_are_those_of_the_boxes() -> None:
    """One box twice as wide as the true one (IoU 0.5), one that is right."""
    truth = box_corners(50, 40, 20, 20, 0.0)
    cases = [MaskWithBox(filled("rectangle", truth, SIZE), truth, truth) for _ in range(2)]
    given = iter([truth, box_corners(60, 40, 40, 20, 0.0), truth])  # the first warms up
    found = qualities(cases, {"made up": lambda mask: next(given)})[-1]
    assert (found.masks, found.mean_iou, found.at_half, found.at_seventy) == (2, pytest.approx(0.75), 1.0, 0.5)


def test_the_oracle_of_a_fixed_ratio_has_the_area_and_the_first_shape() -> None:
    first, box = box_corners(5, 5, 40, 10, 0.0), box_corners(50, 40, 20, 20, np.pi / 4)
    np.testing.assert_allclose(fixed_ratio_box(box, first), box_corners(50, 40, 40, 10, 0.0))


def test_the_first_frame_of_each_sequence_gives_the_ratio(command, tmp_path: Path) -> None:
    """Upright boxes of one shape a sequence: the oracle is right, though the sequences differ."""
    for name, (w, h) in {"a": (40, 20), "b": (20, 40)}.items():
        write_sequence(tmp_path, name, [box_corners(50, 40, w * s, h * s, 0.0) for s in (1.0, 0.5)])
    out = tmp_path / "figures.json"
    arguments = ("--masks", tmp_path / "masks", "--truth", tmp_path / "truth", "--json", out)
    code, _, err = command("bench", "boxes", *arguments)
    assert code == 0, err
    assert rows(out)["fixed ratio, oracle"]["mean_iou"] == pytest.approx(1)


def test_drawn_ones_are_the_same_for_the_same_seed_and_opt_is_best_on_limbs() -> None:
    cases, again = drawn_cases(3, 5), drawn_cases(3, 5)
    for form in cases:
        for one, other in zip(cases[form], again[form], strict=True):
            np.testing.assert_array_equal(one.mask, other.mask)
            np.testing.assert_array_equal(one.box, other.box)
    found = {quality.way: quality.mean_iou for quality in qualities(cases["limb"])}
    assert found["Opt"] > 0.95 > 0.8 > found["MBR"] > found["Min-max"]


def test_lines_of_boxes(tmp_path: Path) -> None:
    path = tmp_path / "groundtruth.txt"
    path.write_text("1,2,4,2,4,6,1,6\n1 2 3 4\nnan,nan,nan,nan\n1,2,0,4\n\n")
    first, second, *nothing = read_boxes(path)
    np.testing.assert_array_equal(first, [[1, 2], [4, 2], [4, 6], [1, 6]])
    np.testing.assert_array_equal(second, first)
    assert nothing == [None, None]
    for line, fault in (("1,2,x,4", "line 2: not numbers"), ("1,2,3", "line 2: 3 numbers")):
        path.write_text(f"1,2,3,4\n{line}\n")
        with pytest.raises(DataError, match=fault):
            read_boxes(path)
