import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import single_object_oracle as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from evaluation.single_object import vot
from evaluation.single_object.boxes import box_overlaps, centre_errors
from evaluation.single_object.got10k import got10k_figures, got10k_overlaps
from evaluation.single_object.one_pass import lasot_curves, one_pass_figures, otb_curves
from evaluation.single_object.protocols import protocol_scores
from evaluation.single_object.regions import corners_of, region_overlaps
from vis_pipeline.cli.app import main
from vis_pipeline.errors import DataError

NUMBERS = st.one_of(st.integers(-40, 80).map(float), st.sampled_from([math.nan, 0.0, 0.5]))
BOXES = st.lists(NUMBERS, min_size=4, max_size=4)
TRUE_BOXES = st.tuples(st.integers(-9, 60), st.integers(-9, 60), st.integers(1, 40), st.integers(1, 40))
FRAMES = st.lists(st.tuples(BOXES, TRUE_BOXES, st.booleans()), min_size=1, max_size=6)


def arrays(frames: list) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    boxes, truth, visible = zip(*frames, strict=True)
    return np.array(boxes, float), np.array(truth, float), np.array(visible)


def rows(path: Path, lines: object, separator: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(separator.join(f"{value:g}" for value in line) + "\n" for line in lines))  # type: ignore


# --- boxes and the one-pass curves


def test_overlap_and_distance_by_hand() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 0], [math.nan, 0, 1, 1], [50, 50, 9, 9.0]])
    truth = np.array([[5, 0, 10, 10], [0, 0, 10, 10], [0, 0, 1, 1], [0, 0, 9, 9.0]])
    np.testing.assert_allclose(box_overlaps(boxes, truth), [50 / 150, 0, 0, 0])
    np.testing.assert_allclose(centre_errors(boxes, truth), [5, 5, np.inf, math.hypot(50, 50)])


def test_no_box_overlaps_itself_more_than_wholly() -> None:
    generator = np.random.default_rng(0)
    boxes = np.round(generator.uniform(1, 90, (2000, 4)), 2)
    assert box_overlaps(boxes, boxes).max() == 1.0


@settings(max_examples=60)
@given(FRAMES)
def test_curves_are_those_of_the_oracle(frames: list) -> None:
    boxes, truth, visible = arrays(frames)
    success, precision, normalised = oracle.curves(boxes.tolist(), truth.tolist(), visible.tolist())
    found = lasot_curves(boxes, truth, visible)
    np.testing.assert_allclose(found["success"], success)
    np.testing.assert_allclose(found["precision"], precision)
    np.testing.assert_allclose(found["normalised_precision"], normalised)
    everywhere = oracle.curves(boxes.tolist(), truth.tolist(), [True] * len(truth))
    found = otb_curves(boxes, truth)
    np.testing.assert_allclose(found["success"], everywhere[0])
    np.testing.assert_allclose(found["precision"], everywhere[1])


def test_a_perfect_result_has_success_20_of_21_and_an_absent_object_is_missed() -> None:
    truth = np.array([[0, 0, 5, 5], [1, 1, 5, 5], [0, 0, 0, 0.0], [3, 3, 5, 5]])
    visible = np.array([True, True, True, False])
    figures = one_pass_figures(lasot_curves(truth, truth, visible))
    assert figures["AUC"] == pytest.approx(20 / 21 / 2)  # no overlap is above 1
    assert figures["precision@20"] == figures["normalised@0.2"] == 0.5


# --- GOT-10k


def test_got10k_leaves_out_the_first_frame_and_those_without_the_object() -> None:
    truth = np.array([[0, 0, 10, 10]] * 5, float)
    boxes = np.array([[0, 0, 1, 1], [0, 0, 10, 10], [0, 0, 10, 6], [0, 0, 10, 4], [9, 9, 1, 1]], float)
    overlaps = got10k_overlaps(boxes, truth, np.array([8, 8, 8, 8, 0.0]), (100, 100))
    np.testing.assert_allclose(overlaps, [1, 0.6, 0.4])
    assert got10k_figures(overlaps) == pytest.approx({"AO": 2 / 3, "SR.50": 2 / 3, "SR.75": 1 / 3})


# --- VOT


@settings(max_examples=60)
@given(st.data())
def test_region_overlap_is_that_of_the_pixels(data: st.DataObject) -> None:
    size = (24, 20)
    regions = []
    for _ in range(2):
        left, top = data.draw(st.integers(-8, 18)), data.draw(st.integers(-8, 15))
        width, height = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 20))
        box = [left, top, width, height]
        polygon = [left, top, left + width, top, left + width, top + height, left, top + height]
        # A square on its corner: its edges cross pixels' centres only.
        diamond = [left, top + width, left + width, top, left + 2 * width, top + width, left + width, top + 2 * width]
        regions.append(data.draw(st.sampled_from([box, polygon, diamond])))
    first, second = (oracle.pixels(region, size) for region in regions)
    expected = len(first & second) / len(first | second) if first | second else 0
    corners = [corners_of(np.array(region, float))[None] for region in regions]
    assert region_overlaps(*corners, size)[0] == pytest.approx(expected)


def test_regions_without_pixels_overlap_nothing() -> None:
    sound = corners_of(np.array([1, 1, 5, 5.0]))
    for row in ([1, 1, 0, 5.0], [math.nan, 1, 5, 5], [100, 1, 5, 5]):
        assert region_overlaps(corners_of(np.array(row))[None], sound[None], (50, 50))[0] == 0


def test_accuracy_leaves_out_ten_frames_from_each_start_and_counts_failures() -> None:
    codes = np.array([1, *[-1] * 11, 2, 0, 0, 0, 0, 1, *[-1] * 10])
    overlaps = np.where(codes == -1, np.arange(len(codes)) / 100, 0)
    assert vot.accuracy(codes, overlaps) == pytest.approx(np.mean([0.10, 0.11, 0.27]))
    assert vot.failures(codes) == 1
    first, second = vot.stretches(codes, overlaps)
    assert (first.failed, len(first.overlaps), second.failed, len(second.overlaps)) == (True, 12, False, 11)
    assert vot.accuracy(codes[:5], overlaps[:5]) == 0


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_expected_average_overlap_is_that_of_the_oracle(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    runs = []
    for _ in range(count):
        made = oracle.supervised(generator, oracle.walk(generator, int(generator.integers(2, 60)), (90, 90)), 0.06)
        codes = np.array([int(row[0]) if len(row) == 1 else -1 for row in made])
        vot.require_protocol(codes)
        runs.append((codes, np.where(codes == -1, generator.random(len(codes)), 0)))
    curve = vot.eao_curve([part for run in runs for part in vot.stretches(*run)])
    expected = oracle.eao([(codes.tolist(), overlaps.tolist()) for codes, overlaps in runs], 3, 25)
    assert vot.eao(curve, (3, 25)) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        ([-1, -1], "frame 1 must be a start"),
        ([1, 1], "frame 2: started"),
        ([1, 2, -1], "frame 3: follows a failure"),
        ([1, -1, 2, 0, 0, 0, 1], r"frame 7: started \(1\) 4 after a failure"),
    ],
)
def test_codes_out_of_order_are_named(codes: list[int], says: str) -> None:
    with pytest.raises(DataError, match=says):
        vot.require_protocol(np.array(codes))


# --- files and the command


def got10k_files(root: Path, names: tuple[str, ...] = ("A", "B")) -> tuple[Path, Path]:
    generator = np.random.default_rng(3)
    truth, results = root / "gt", root / "results"
    for name in names:
        boxes = oracle.walk(generator, 20, (200, 150))
        rows(truth / name / "groundtruth.txt", boxes)
        rows(truth / name / "cover.label", generator.integers(0, 9, (20, 1)))
        (truth / name / "meta_info.ini").write_text("[METAINFO]\nresolution: (200, 150)\n")
        for run in (1, 2):
            rows(results / name / f"{name}_{run:03}.txt", np.round(boxes + generator.normal(0, 3, boxes.shape), 3))
        rows(results / name / f"{name}_time.txt", np.ones((20, 2)))
    return truth, results


def otb_files(root: Path) -> tuple[Path, Path]:
    generator = np.random.default_rng(4)
    truth, results = root / "gt", root / "results"
    for name, file, separator in (("Car", "", "\t"), ("Two", ".1", ","), ("Two", ".2", ",")):
        boxes = np.round(oracle.walk(generator, 30, (200, 150)))
        rows(truth / name / f"groundtruth_rect{file}.txt", boxes, separator)
        rows(results / f"{name}{file}.txt", np.round(boxes + generator.normal(0, 4, boxes.shape), 3))
    return truth, results


def vot_files(root: Path) -> tuple[Path, Path]:
    generator = np.random.default_rng(5)
    truth, results = root / "gt", root / "results"
    for name, frames in (("bag", 60), ("ball", 150)):
        boxes = oracle.walk(generator, frames, (160, 120))
        x, y, w, h = boxes.T
        polygons = np.stack([x + 3, y, x + w, y + 2, x + w - 3, y + h, x, y + h - 2], axis=1)
        rows(truth / name / "groundtruth.txt", polygons)
        (truth / name / "sequence").write_text("width=160\nheight=120\n")
        for run in (1, 2):
            rows(
                results / "baseline" / name / f"{name}_{run:03}.txt",
                oracle.supervised(generator, boxes, 0.03 if name == "bag" else 0),
            )
    return truth, results


def test_the_forms_are_read(tmp_path: Path) -> None:
    scores = protocol_scores("otb", *reversed(otb_files(tmp_path / "otb")))
    assert list(scores.sequences) == ["Car", "Two.1", "Two.2"] and not scores.left_out
    assert scores.overall["AUC"] == pytest.approx(np.mean([one["AUC"] for one in scores.sequences.values()]))
    scores = protocol_scores("vot2018", *reversed(vot_files(tmp_path / "vot")))
    assert scores.overall["failures"] > 0 and 0 < scores.overall["EAO"] < 1
    weighted = [scores.sequences[name]["accuracy"] * frames for name, frames in (("bag", 60), ("ball", 150))]
    assert scores.overall["accuracy"] == pytest.approx(sum(weighted) / 210)
    truth, results = otb_files(tmp_path / "lasot")
    (truth / "car").mkdir()
    (truth / "Car/groundtruth_rect.txt").rename(truth / "Car/groundtruth.txt")
    (truth / "Car").rename(truth / "car/Car")
    rows(truth / "car/Car/out_of_view.txt", [np.arange(30) > 19])
    rows(truth / "car/Car/full_occlusion.txt", [np.zeros(30)])
    scores = protocol_scores("lasot", results, truth)
    assert list(scores.sequences) == ["Car"] and scores.overall["normalised AUC"] <= 2 / 3


def test_an_images_size_is_that_to_clip_to(tmp_path: Path) -> None:
    truth, results = vot_files(tmp_path)
    before = protocol_scores("vot2019", results, truth).overall
    for name in ("bag", "ball"):
        (truth / name / "sequence").unlink()
        (truth / name / "color").mkdir()
        Image.new("RGB", (160, 120)).save(truth / name / "color/00000001.jpg")
    assert protocol_scores("vot2019", results, truth).overall == before


def test_what_cannot_be_scored_is_named_and_the_rest_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, results = got10k_files(tmp_path, ("A", "B", "C", "D", "E"))
    alone = protocol_scores("got10k", results, truth, ["A"])
    (results / "B/B_002.txt").write_text("1,2,3,4\n")
    for run in (1, 2):
        (results / f"C/C_{run:03}.txt").unlink()
    lines = (truth / "D/groundtruth.txt").read_text().splitlines()
    (truth / "D/cover.label").write_text("8\n" * 20)
    (truth / "D/groundtruth.txt").write_text("\n".join([*lines[:6], "nan,nan,nan,nan", *lines[7:]]))
    (results / "E/E_001.txt").write_text("1,2,x,4\n" * 20)
    out = tmp_path / "scores.json"
    command = ["vis-pipeline", "sot-scores", "got10k", str(results), "--gt", str(truth), "--json", str(out)]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    said, errors = capsys.readouterr()
    assert said.count("not scored") == 4
    assert "B_002.txt: 1 rows, the ground truth has 20 frames" in errors
    assert "sequence C: no result" in errors and "C_001.txt" in errors
    assert "groundtruth.txt, line 7: the true box has NaN or no area" in errors
    assert "E_001.txt, line 1: '1,2,x,4' is not a row of numbers" in errors
    assert "4 of 5 sequences are not scored" in errors
    written = json.loads(out.read_text())
    assert written["overall"] == alone.overall and list(written["left_out"]) == ["B", "C", "D", "E"]


def test_nothing_to_score_is_an_error(tmp_path: Path) -> None:
    truth, results = got10k_files(tmp_path)
    with pytest.raises(DataError, match="give one of got10k, otb"):
        protocol_scores("got", results, truth)
    with pytest.raises(DataError, match="none of 1 sequences can be scored; Z: no ground truth"):
        protocol_scores("got10k", results, truth, ["Z"])
    with pytest.raises(DataError, match="no sequences in the form of otb"):
        protocol_scores("otb", results, truth)
    with pytest.raises(DataError, match="not a folder"):
        protocol_scores("otb", results / "nowhere", truth)


def test_an_unsound_truth_of_vot_is_named(tmp_path: Path) -> None:
    truth, results = vot_files(tmp_path)
    rows(truth / "bag/groundtruth.txt", [[1, 1, 5, 1, 9, 1, 5, 1]] * 60)
    (truth / "ball/sequence").unlink()
    with pytest.raises(DataError, match=r"bag: .*groundtruth\.txt, line 1: the true region has NaN or no area"):
        protocol_scores("vot2016", results, truth, ["bag"])
    with pytest.raises(DataError, match="neither an image nor a file `sequence`"):
        protocol_scores("vot2016", results, truth, ["ball"])


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b"1,2,3,4\n\n1,2,3,4\n", b"1,2,3\n", b"inf\n", b"3\n"])
def test_damaged_results_are_named(tmp_path: Path, content: bytes) -> None:
    truth, results = vot_files(tmp_path)
    file = results / "baseline/bag/bag_002.txt"
    file.write_bytes(content)
    scores = protocol_scores("vot2018", results, truth)
    assert list(scores.sequences) == ["ball"] and str(file) in scores.left_out["bag"]
    assert "\n" not in scores.left_out["bag"]


def test_the_protocols_need_no_model() -> None:
    code = "import sys, evaluation.single_object.protocols; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded and not {"torch", "mmdet", "mmcv", "mmengine", "ray", "av"} & set(loaded)
