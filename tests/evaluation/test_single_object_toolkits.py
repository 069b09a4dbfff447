"""Ours against the benchmarks' own toolkits on the same files.

To run these: `pip install got10k vot-toolkit 'attributee==0.1.8'`, in an environment of its own; they hold with
got10k 0.1.3 and vot-toolkit 0.9.0.
"""

import sys
import types
from pathlib import Path

import numpy as np
import pytest
from test_single_object_scores import got10k_files, otb_files, rows, vot_files
from test_vot_figures import unsupervised_files

from evaluation.single_object import vot
from evaluation.single_object.number_files import read_boxes, read_rows
from evaluation.single_object.protocols import protocol_scores
from evaluation.single_object.regions import corners_of, region_overlaps
from evaluation.single_object.vot_runs import supervised_runs


def got10k_experiments() -> types.ModuleType:
    pytest.importorskip("got10k", reason="the toolkit of GOT-10k is not installed (pip install got10k)")
    return pytest.importorskip("got10k.experiments", reason="the toolkit of GOT-10k cannot be imported")


def test_got10k_figures_are_the_toolkits(tmp_path: Path) -> None:
    experiments = got10k_experiments()
    truth, results = got10k_files(tmp_path)
    for name in ("A", "B"):
        rows(results / name / f"{name}_time.txt", np.full((1, 20), 0.1))
        for label in ("absence", "cut_by_image"):
            (truth / name / f"{label}.label").write_text("0\n" * 20)
        for frame in range(20):
            (truth / name / f"{frame:08}.jpg").touch()
    root = tmp_path / "root"
    root.mkdir()
    truth.rename(root / "val")
    (root / "val/list.txt").write_text("A\nB\n")
    (tmp_path / "GOT-10k").mkdir()
    results.rename(tmp_path / "GOT-10k/ours")
    experiment = experiments.ExperimentGOT10k(
        str(root), "val", result_dir=str(tmp_path), report_dir=str(tmp_path / "reports")
    )
    experiment.plot_curves = lambda *given: None
    theirs = experiment.report(["ours"])["ours"]
    ours = protocol_scores("got10k", tmp_path / "GOT-10k/ours", root / "val")
    assert ours.overall["AO"] == pytest.approx(theirs["overall"]["ao"], abs=1e-12)
    assert ours.overall["SR.50"] == pytest.approx(theirs["overall"]["sr"])
    assert ours.overall["SR.75"] == pytest.approx(theirs["overall"]["succ_curve"][75])
    for name in ("A", "B"):
        assert ours.sequences[name]["AO"] == pytest.approx(theirs["seq_wise"][name]["ao"], abs=1e-12)


def test_otb_figures_are_the_toolkits(tmp_path: Path) -> None:
    experiments = got10k_experiments()
    truth, results = otb_files(tmp_path)
    files = {
        "Car": "Car/groundtruth_rect.txt",
        "Two.1": "Two/groundtruth_rect.1.txt",
        "Two.2": "Two/groundtruth_rect.2.txt",
    }
    experiment = object.__new__(experiments.ExperimentOTB)
    experiment.nbins_iou, experiment.nbins_ce = 21, 51
    experiment.dataset = _Truths({name: read_boxes(truth / file) for name, file in files.items()})
    experiment.result_dir, experiment.report_dir = str(tmp_path), str(tmp_path / "reports")
    experiment.plot_curves = lambda *given: None
    theirs = experiment.report(["results"])["results"]
    ours = protocol_scores("otb", results, truth)
    for found, figures in ((theirs["overall"], ours.overall), (theirs["seq_wise"]["Two.2"], ours.sequences["Two.2"])):
        assert figures["AUC"] == pytest.approx(found["success_score"])
        assert figures["precision@20"] == pytest.approx(found["precision_score"])
        assert figures["success@0.5"] == pytest.approx(found["success_rate"])
    np.testing.assert_allclose(ours.curves["success"], theirs["overall"]["success_curve"])


class _Truths:
    def __init__(self, boxes: dict[str, np.ndarray]) -> None:
        self.seq_names, self.boxes = list(boxes), list(boxes.values())

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: int) -> tuple[list[str], np.ndarray]:
        return [], self.boxes[index]


def vot_toolkit() -> tuple[types.ModuleType, types.ModuleType, types.ModuleType]:
    pytest.importorskip("vot", reason="the VOT toolkit is not installed (pip install vot-toolkit)")
    supervised = pytest.importorskip("vot.analysis.supervised", reason="the VOT toolkit cannot be imported")
    return supervised, sys.modules["vot.region"], sys.modules["vot.region.io"]


def test_region_overlaps_are_the_vot_toolkits() -> None:
    _, region, files = vot_toolkit()
    generator = np.random.default_rng(7)
    size = (90, 70)
    for _ in range(300):
        pair = []
        for _ in range(2):
            x, y = generator.uniform(-20, 60, 2)
            w, h = generator.uniform(8, 60, 2)
            turn = generator.uniform(0, np.pi)
            axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
            corners = np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) / 2 @ axes + (x + 20, y + 10)
            pair.append(np.round(corners.ravel() if generator.random() < 0.6 else [x, y, w, h], 2))
        theirs = region.calculate_overlap(*(files.parse_region(",".join(map(str, row))) for row in pair), size)
        ours = region_overlaps(*(corners_of(row)[None] for row in pair), size)[0]
        assert ours == pytest.approx(theirs, abs=1e-12), pair


def test_supervised_figures_are_the_vot_toolkits(tmp_path: Path) -> None:
    supervised, region, files = vot_toolkit()
    truth, results = vot_files(tmp_path)
    size, theirs_all, successes, ours_all = (160, 120), [], [], []
    for name in ("bag", "ball"):
        file = truth / name / "groundtruth.txt"
        sequence = types.SimpleNamespace(
            groundtruth=lambda file=file: files.read_trajectory(str(file)), size=size, name=name
        )
        for number, run in enumerate(supervised_runs(name, file, results).runs, start=1):
            path = results / "baseline" / name / f"{name}_{number:03}.txt"
            trajectory = files.read_trajectory(str(path))
            assert len(read_rows(path)) == len(trajectory)
            overlaps = region.calculate_overlaps(trajectory, sequence.groundtruth(), size)
            np.testing.assert_allclose(run.overlaps, overlaps, atol=1e-12)
            assert vot.accuracy(run.codes, run.overlaps) == pytest.approx(
                supervised.compute_accuracy(trajectory, sequence)[0]
            )
            failed, begun = supervised.locate_failures_inits(trajectory)
            assert vot.failures(run.codes) == supervised.count_failures(trajectory)[0] == len(failed)
            for start, end in zip(begun, [*failed, len(overlaps)], strict=False):
                theirs_all.append(overlaps[start:end])
                successes.append(end == len(overlaps))
            ours_all += vot.stretches(run.codes, run.overlaps)
    theirs = supervised.compute_eao_curve(theirs_all, [1] * len(theirs_all), successes)
    # The toolkit adds in 32 bits.
    np.testing.assert_allclose(vot.eao_curve(ours_all), theirs, atol=1e-5)
    scores = protocol_scores("vot2018", results, truth)
    assert scores.overall["EAO"] == pytest.approx(float(np.mean(theirs[100:357])), abs=1e-5)


@pytest.mark.parametrize(("name", "stack"), [("vot2016", "rgb"), ("vot2018", "shortterm"), ("vot2019", "shortterm")])
def test_the_lengths_of_eao_are_the_vot_toolkits(name: str, stack: str) -> None:
    supervised, *_ = vot_toolkit()
    text = (Path(supervised.__file__).parents[1] / f"stack/{name}/{stack}.yaml").read_text()
    baseline = text.split("baseline:")[1]
    found = tuple(int(baseline.split(f"{end}:")[1].split()[0]) for end in ("low", "high"))
    assert vot.LENGTHS[name] == found


def test_a_weighted_curve_is_the_vot_toolkits() -> None:
    supervised, *_ = vot_toolkit()
    generator = np.random.default_rng(9)
    stretches = [
        vot.Stretch(np.concatenate([[0], generator.random(generator.integers(3, 40))]), bool(generator.random() < 0.5))
        for _ in range(9)
    ]
    weights = generator.uniform(0.1, 1, 9).tolist()
    theirs = supervised.compute_eao_curve(
        [run.overlaps for run in stretches], weights, [not run.failed for run in stretches]
    )
    np.testing.assert_allclose(vot.eao_curve(stretches, weights), theirs, atol=1e-5)


@pytest.mark.parametrize(("figure", "burn_in"), [("accuracy", 10), ("AO", 1)])
def test_accuracy_without_resets_is_the_vot_toolkits(tmp_path: Path, figure: str, burn_in: int) -> None:
    *_, files = vot_toolkit()
    gather = pytest.importorskip("vot.analysis.accuracy").gather_overlaps
    truth, results = unsupervised_files(tmp_path)
    scores = protocol_scores("vot-unsupervised", results, truth)
    for name in ("bag", "ball"):
        trajectory = files.read_trajectory(str(results / f"unsupervised/{name}/{name}_001.txt"))
        true = files.read_trajectory(str(truth / name / "groundtruth.txt"))
        overlaps, _ = gather(trajectory, true, burn_in, bounds=(160, 120))
        assert scores.sequences[name][figure] == pytest.approx(float(np.mean(overlaps)), abs=1e-12)
