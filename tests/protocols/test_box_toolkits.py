"""Sequences and figures of the box protocols against GOT-10k's toolkit on the same folders.

To run these: `pip install got10k`, in an environment of its own; they hold with got10k 0.1.3.
"""

import types
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from box_folders import got10k as drawn_got10k
from box_folders import trackers

from evaluation.single_object.protocols import protocol_scores
from vis_pipeline.protocols.box_sequences import BoxSequence
from vis_pipeline.protocols.got10k import GOT10K
from vis_pipeline.protocols.nfs import NFS30, NFS240
from vis_pipeline.protocols.one_pass import OnePass
from vis_pipeline.protocols.otb import OTB
from vis_pipeline.protocols.trackingnet import TRACKINGNET
from vis_pipeline.protocols.uav import UAV123


@pytest.fixture
def datasets() -> types.ModuleType:
    pytest.importorskip("got10k", reason="the toolkit of GOT-10k is not installed (pip install got10k)")
    return pytest.importorskip("got10k.datasets", reason="the toolkit of GOT-10k cannot be imported")


@pytest.fixture
def experiments(datasets: types.ModuleType) -> types.ModuleType:
    return pytest.importorskip("got10k.experiments", reason="the toolkit of GOT-10k cannot be imported")


def images(folder: Path, names: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def text(rows: np.ndarray) -> str:
    return "".join(",".join(f"{value:g}" for value in row) + "\n" for row in rows)


def walk(seed: int, count: int) -> np.ndarray:
    """Boxes that wander, float64 [F, 4]."""
    generator = np.random.default_rng(seed)
    corners = np.array([110, 80]) + generator.normal(0, 3, (count, 2)).cumsum(axis=0)
    return np.round(np.hstack([corners, generator.uniform(15, 40, (count, 2))]), 2)


def require_same(benchmark: OnePass, data: Path, theirs: object, origin: int = 0) -> None:
    """The same sequences, images and first boxes; `theirs` is one of the toolkit's data sets."""
    found: dict[str, BoxSequence] = {given.name: given for given in benchmark.listing(data, None).found}
    assert set(found) == set(theirs.seq_names)  # type: ignore[attr-defined]
    for index, name in enumerate(theirs.seq_names):  # type: ignore[attr-defined]
        files, boxes = theirs[index][:2]  # type: ignore[index]
        given = found[name]
        listed = sorted((path for path in given.folder.iterdir()), key=lambda path: (len(path.name), path.name))
        ours = listed[given.first : given.first + given.length]
        assert [path.name for path in ours] == [Path(file).name for file in files]
        first = np.atleast_2d(boxes)[0] - [origin, origin, 0, 0]
        np.testing.assert_allclose(given.box, first)


def write_results(results: Path, truths: dict[str, np.ndarray]) -> None:
    results.mkdir(parents=True)
    generator = np.random.default_rng(3)
    for name, boxes in truths.items():
        moved = np.where(np.isfinite(boxes), boxes, 5) + generator.normal(0, 4, boxes.shape)
        moved[:, 2:] = np.maximum(moved[:, 2:], 2)
        (results / f"{name}.txt").write_text(text(moved))


def require_same_figures(protocol: str, results: Path, data: Path, experiment: object) -> None:
    experiment.plot_curves = lambda *given: None  # type: ignore[attr-defined]
    theirs = experiment.report(["ours"])["ours"]  # type: ignore[attr-defined]
    ours = protocol_scores(protocol, results, data)
    pairs = [(ours.overall, theirs["overall"])]
    pairs += [(figures, theirs["seq_wise"][name]) for name, figures in ours.sequences.items()]
    for figures, found in pairs:
        assert figures["AUC"] == pytest.approx(found["success_score"])
        assert figures["precision@20"] == pytest.approx(found["precision_score"])
        assert figures["success@0.5"] == pytest.approx(found["success_rate"])
    np.testing.assert_allclose(ours.curves["success"], theirs["overall"]["success_curve"])
    np.testing.assert_allclose(ours.curves["precision"], theirs["overall"]["precision_curve"])


def test_uav123(datasets: types.ModuleType, experiments: types.ModuleType, tmp_path: Path) -> None:
    data = tmp_path / "UAV"
    truths = {"uav6": walk(1, 109), "bird1_1": walk(2, 253), "bird1_2": walk(3, 703)}
    truths["bird1_2"][20:40] = np.nan
    (data / "anno/UAV123").mkdir(parents=True)
    for name, boxes in truths.items():
        (data / f"anno/UAV123/{name}.txt").write_text(text(boxes))
    for folder, count in (("uav6", 109), ("bird1", 2437)):
        images(data / "data_seq/UAV123" / folder, [f"{number:06}.jpg" for number in range(1, count + 1)])
    for name in ("configSeqs.m", "ReadMe.txt"):  # the toolkit takes no folder with less in it
        (data / name).touch()
    require_same(UAV123, data, datasets.UAV123(str(data)), origin=1)
    experiment = experiments.ExperimentUAV123(
        str(data), result_dir=str(tmp_path / "results"), report_dir=str(tmp_path / "reports")
    )
    write_results(tmp_path / "results/UAV123/ours", truths)
    require_same_figures("uav123", tmp_path / "results/UAV123/ours", data, experiment)


@pytest.mark.parametrize(("rate", "benchmark"), [(30, NFS30), (240, NFS240)])
def test_nfs(
    datasets: types.ModuleType, experiments: types.ModuleType, tmp_path: Path, rate: int, benchmark: OnePass
) -> None:
    data, truths = tmp_path / "NfS", {"cup": walk(1, 160), "dog": walk(2, 161)}
    for name, boxes in truths.items():
        count = 160 if rate == 240 else 20
        images(data / name / str(rate) / name, [f"{number:05}.jpg" for number in range(1, count + 1)])
        corners = np.round(np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]))
        lines = [f'0 {" ".join(f"{v:g}" for v in row)} {n} 0 1 0 "{name}"\n' for n, row in enumerate(corners)]
        (data / name / str(rate) / f"{name}.txt").write_text("".join(lines))
    theirs = datasets.NfS(str(data), rate)
    require_same(benchmark, data, theirs)
    write_results(tmp_path / f"results/NfS/{rate}/ours", {name: theirs[name][1] for name in truths})
    experiment = experiments.ExperimentNfS(
        str(data), rate, result_dir=str(tmp_path / "results"), report_dir=str(tmp_path / "reports")
    )
    require_same_figures(f"nfs{rate}", tmp_path / f"results/NfS/{rate}/ours", data, experiment)


def test_otb(datasets: types.ModuleType, tmp_path: Path) -> None:
    counts = {"David": (471, 770), "Football1": (74, 80), "Human4": (5, 5), "Jogging": (4, 4)}
    for number, (name, (boxes, frames)) in enumerate(counts.items()):
        images(tmp_path / name / "img", [f"{frame:04}.jpg" for frame in range(1, frames + 1)])
        files = {"Human4": ("", ".2"), "Jogging": (".1", ".2")}.get(name, ("",))
        for file in files:
            (tmp_path / name / f"groundtruth_rect{file}.txt").write_text(text(walk(number, boxes)))
    (tmp_path / "Human4/groundtruth_rect.txt").write_text("\n")
    require_same(OTB, tmp_path, datasets.OTB(str(tmp_path), 2015, download=False), origin=1)


def test_trackingnet(datasets: types.ModuleType, tmp_path: Path) -> None:
    for number, name in enumerate(("a_0", "b_1")):
        images(tmp_path / "TEST" / "frames" / name, [f"{frame}.jpg" for frame in range(12)])
        (tmp_path / "TEST/anno").mkdir(exist_ok=True)
        (tmp_path / f"TEST/anno/{name}.txt").write_text(text(walk(number, 1)))
    theirs = datasets.TrackingNet(str(tmp_path), "test")
    # The toolkit looks for images beside `anno`, and asks for as many boxes as images: only names and boxes compare.
    found = TRACKINGNET.listing(tmp_path / "TEST", None).found
    assert [given.name for given in found] == theirs.seq_names
    for given, file in zip(found, theirs.anno_files, strict=True):
        np.testing.assert_allclose(given.box, np.loadtxt(file, delimiter=","))


@pytest.mark.parametrize("subset", ["val", "test"])
def test_got10k(datasets: types.ModuleType, experiments: types.ModuleType, tmp_path: Path, subset: str) -> None:
    drawn_got10k(tmp_path / subset, "A", "B", count=6, with_truth=subset == "val")
    for name in ("A", "B"):
        for image in (tmp_path / subset / name).glob("*.png"):
            image.rename(image.with_suffix(".jpg"))
        for label in ("absence", "cut_by_image"):
            (tmp_path / subset / name / f"{label}.label").write_text("0\n" * 6)
    (tmp_path / subset / "list.txt").write_text("A\nB\n")
    found = GOT10K.listing(tmp_path / subset, None).found
    theirs = datasets.GOT10k(str(tmp_path), subset)
    for given, (files, boxes) in zip(found, theirs, strict=True):
        assert given.length == len(files)
        np.testing.assert_allclose(given.box, np.atleast_2d(boxes)[0])
    if subset == "val":
        _require_readable(experiments, tmp_path, found)


def _require_readable(experiments: types.ModuleType, root: Path, found: Sequence[BoxSequence]) -> None:
    """Our result files are in the form that the toolkit reads, and its curve of them is ours."""
    results = root / "results/GOT-10k/ours"
    for given in found:
        GOT10K.run(given, trackers(), results, lambda frames: None)
    experiment = experiments.ExperimentGOT10k(
        str(root), "val", result_dir=str(root / "results"), report_dir=str(root / "reports")
    )
    experiment.plot_curves = lambda *given: None
    theirs = experiment.report(["ours"])["ours"]["overall"]
    ours = protocol_scores("got10k", results, root / "val")
    assert ours.overall["AO"] == pytest.approx(theirs["ao"], abs=1e-12) and theirs["ao"] < 0.9
    np.testing.assert_allclose(ours.curves["success"], theirs["succ_curve"])
    assert theirs["speed_fps"] > 0
