import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from box_folders import got10k, nfs, otb, repeat_image, rows, square_boxes, trackers, trackingnet, uav123, write_images

from evaluation.single_object.number_files import read_boxes
from vis_pipeline.errors import DataError
from vis_pipeline.protocols.benchmark import Listing
from vis_pipeline.protocols.box_sequences import BoxSequence
from vis_pipeline.protocols.got10k import GOT10K
from vis_pipeline.protocols.lasot import LASOT
from vis_pipeline.protocols.nfs import NFS30, NFS240
from vis_pipeline.protocols.one_pass import OnePass
from vis_pipeline.protocols.otb import OTB
from vis_pipeline.protocols.trackingnet import TRACKINGNET
from vis_pipeline.protocols.uav import UAV20L, UAV123, images_of


def run(benchmark: OnePass, listing: Listing[BoxSequence], results: Path, boxes: str = "state") -> None:
    for given in listing.found:
        assert not benchmark.is_done(given, results)
        reported: list[int] = []
        benchmark.run(given, trackers(boxes), results, reported.append)  # type: ignore[arg-type]
        assert sum(reported) == given.length
        assert benchmark.is_done(given, results)


def test_otb_counts_from_one(tmp_path: Path) -> None:
    data, results = otb(tmp_path / "data", "Car"), tmp_path / "results"
    listing = OTB.listing(data, None)
    (given,) = listing.found
    assert (given.name, given.first, given.length, given.box) == ("Car", 0, 4, (4, 6, 12, 10))
    run(OTB, listing, results, "min-max")
    np.testing.assert_allclose(read_boxes(results / "Car.txt"), read_boxes(data / "Car/groundtruth_rect.txt"))
    assert OTB.submission(listing.found, results) is None


@pytest.mark.parametrize(
    ("boxes", "wanted"), [("state", (5, 6, 14, 12)), ("min-max", (6, 7, 12, 10)), ("mbr", (10, 5, 20, 20))]
)
def test_a_result_is_the_kind_of_box_that_is_asked_for(tmp_path: Path, boxes: str, wanted: tuple[float, ...]) -> None:
    listing = GOT10K.listing(got10k(tmp_path / "data", "A"), None)
    run(GOT10K, listing, tmp_path, boxes)
    found = read_boxes(tmp_path / "A/A_001.txt")
    assert found[0].tolist() == [4, 6, 12, 10]
    assert found[1].tolist() == list(wanted)


def test_of_a_turned_rectangle_the_upright_box_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[int] = []

    def turned(mask: np.ndarray) -> np.ndarray:
        fitted.append(int(mask.sum()))
        return np.array([[6.0, 2], [9, 6], [5, 9], [2, 5]])

    monkeypatch.setattr("vis_pipeline.protocols.box_sequences.optimal_box", turned)
    run(GOT10K, GOT10K.listing(got10k(tmp_path / "data", "A", count=2), None), tmp_path, "opt")
    assert read_boxes(tmp_path / "A/A_001.txt")[1].tolist() == [2, 2, 7, 7]
    assert fitted == [120]


def test_got10k_has_seconds_and_test_sets_one_box(tmp_path: Path) -> None:
    listing = GOT10K.listing(got10k(tmp_path / "test", "A", "B", with_truth=False), None)
    assert [given.length for given in listing.found] == [4, 4]
    run(GOT10K, listing, tmp_path / "results")
    seconds = np.loadtxt(tmp_path / "results/A/A_time.txt")
    assert seconds.shape == (4,) and (seconds >= 0).all() and seconds.sum() < 5


def test_parts_of_folders(tmp_path: Path) -> None:
    boxes = square_boxes(6)
    repeat_image(tmp_path / "David/img", 305, digits=4)
    (tmp_path / "David/groundtruth_rect.txt").write_text(rows(boxes, 1))
    write_images(tmp_path / "Freeman3/img", np.concatenate([boxes, boxes]), digits=4)
    (tmp_path / "Freeman3/groundtruth_rect.txt").write_text(rows(boxes, 1, "\t"))
    david, freeman = OTB.listing(tmp_path, ["David", "Freeman3"]).found
    assert [frame.name for frame in david.frames()] == [f"{number:04}.png" for number in range(300, 306)]
    assert [frame.name for frame in freeman.frames()] == [f"{number:04}.png" for number in range(1, 7)]


def test_lasot_has_classes(tmp_path: Path) -> None:
    write_images(tmp_path / "cat/cat-1/img", square_boxes(3))
    (tmp_path / "cat/cat-1/groundtruth.txt").write_text(rows(square_boxes(3), 1))
    (given,) = LASOT.listing(tmp_path, None).found
    assert (given.name, given.box) == ("cat-1", (4, 6, 12, 10))


def test_what_cannot_be_run_is_left_out_with_a_line(tmp_path: Path) -> None:
    data = otb(tmp_path, "Good", "Nan", "Flat", "Short", "Text", "Bare")
    truth = "groundtruth_rect.txt"
    (data / "Nan" / truth).write_text("NaN,NaN,NaN,NaN\n" + rows(square_boxes(3), 1))
    (data / "Flat" / truth).write_text("5,5,0,10\n" + rows(square_boxes(3), 1))
    (data / "Short/img/00000004.png").unlink()
    (data / "Text" / truth).write_text("a,b\n")
    for image in (data / "Bare/img").iterdir():
        image.unlink()
    listing = OTB.listing(data, ["Good", "Nan", "Flat", "Short", "Text", "Bare", "None"])
    assert [given.name for given in listing.found] == ["Good"]
    said = {
        "Nan": "line 1: the first box has NaN or no area",
        "Flat": "line 1: the first box has NaN or no area",
        "Short": "4 rows, and 3 images",
        "Text": "line 1: 'a,b' is not a row of numbers",
        "Bare": "holds no images",
        "None": "no sequence None",
    }
    assert listing.left_out.keys() == said.keys()
    for name, part in said.items():
        assert part in listing.left_out[name] and "\n" not in listing.left_out[name]


def test_a_folder_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no sequence"):
        LASOT.listing(otb(tmp_path, "Car"), None)
    with pytest.raises(DataError, match="not a folder"):
        LASOT.listing(tmp_path / "gone", None)


def test_a_damaged_frame_is_named(tmp_path: Path) -> None:
    data = otb(tmp_path / "data", "Car")
    (data / "Car/img/00000003.png").write_bytes(b"no image")
    (given,) = OTB.listing(data, None).found
    with pytest.raises(DataError, match=r"frame 00000003\.png"):
        OTB.run(given, trackers(), tmp_path, lambda frames: None)
    assert not OTB.is_done(given, tmp_path)


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (given,) = GOT10K.listing(got10k(tmp_path / "data", "A"), None).found
    (tmp_path / "A").write_text("a file")
    with pytest.raises(DataError, match=r"A: cannot be made"):
        GOT10K.run(given, trackers(), tmp_path, lambda frames: None)


def test_a_result_of_another_length_is_not_done(tmp_path: Path) -> None:
    (given,) = OTB.listing(otb(tmp_path / "data", "Car"), None).found
    (tmp_path / "Car.txt").write_text(rows(square_boxes(3)))
    assert not OTB.is_done(given, tmp_path)


def test_uav123_cuts_sequences_out_of_a_folder(tmp_path: Path) -> None:
    boxes = {
        "bike1": square_boxes(5),
        "truck4_1": square_boxes(3),
        "truck4_2": square_boxes(2),
        "uav9_1": square_boxes(4),
    }
    data = uav123(tmp_path, boxes, {"bike1": 7, "truck4": 578, "uav9_1": 4})
    (data / "data_seq/UAV123/bike1/000003.png").unlink()
    (data / "anno/UAV123/._bike1.txt").write_bytes(b"\0\5")
    listing = UAV123.listing(data, None)
    assert [(given.name, given.folder.name, given.first, given.length) for given in listing.found] == [
        ("bike1", "bike1", 0, 5),
        ("truck4_1", "truck4", 0, 3),
        ("truck4_2", "truck4", 576, 2),
        ("uav9_1", "uav9_1", 0, 4),
    ]
    assert [frame.name for frame in listing.found[2].frames()] == ["000577.png", "000578.png"]
    assert listing.found[0].box == (4, 6, 12, 10)
    (data / "data_seq/UAV123/truck4/000002.png").unlink()
    assert "1 images from number 577" in UAV123.listing(data, ["truck4_2"]).left_out["truck4_2"]
    (data / "data_seq/UAV123/truck4/000579.png").write_bytes(b"")
    assert "some before it are missing" in UAV123.listing(data, ["truck4_2"]).left_out["truck4_2"]
    assert UAV123.listing(data, ["truck4_1"]).found


def test_uav123_is_cut_where_the_toolkit_cuts_it() -> None:
    datasets = pytest.importorskip("got10k.datasets", reason="the toolkit of GOT-10k is not installed")
    metas = json.loads((Path(datasets.__file__).parent / "uav123.json").read_text())
    assert len(metas["UAV123"]) == 123
    for name, meta in metas["UAV123"].items():
        assert images_of(name) == (meta["folder_name"], meta["start_frame"])
    assert all(meta["start_frame"] == 1 and meta["folder_name"] == name for name, meta in metas["UAV20L"].items())


def test_uav20l_takes_the_images_of_uav123(tmp_path: Path) -> None:
    write_images(tmp_path / "data_seq/UAV123/bike1", square_boxes(4), digits=6)
    (tmp_path / "anno/UAV20L").mkdir(parents=True)
    (tmp_path / "anno/UAV20L/bike1.txt").write_text(rows(square_boxes(3), 1))
    (given,) = UAV20L.listing(tmp_path, None).found
    assert (given.length, given.folder) == (3, (tmp_path / "data_seq/UAV123/bike1").resolve())


@pytest.mark.parametrize(
    ("benchmark", "rate", "lines", "images"), [(NFS240, 240, 6, 6), (NFS30, 30, 41, 6), (NFS30, 30, 48, 5)]
)
def test_nfs(tmp_path: Path, benchmark: OnePass, rate: int, lines: int, images: int) -> None:
    data = nfs(tmp_path / "data", "cup", rate, square_boxes(lines), images)
    (given,) = benchmark.listing(data, None).found
    assert (given.length, given.box) == (images, (4, 6, 12, 10))
    run(benchmark, benchmark.listing(data, None), tmp_path, "min-max")
    wanted = square_boxes(images)
    np.testing.assert_allclose(read_boxes(tmp_path / "cup.txt"), wanted)


def test_rows_of_nfs_that_do_not_fit_are_named(tmp_path: Path) -> None:
    data = nfs(tmp_path, "cup", 30, square_boxes(20), 6)
    nfs(tmp_path, "text", 30, square_boxes(6), 6)
    (data / "text/30/text.txt").write_text('0 1 2 3 4 1 0 0 0 "a"\n0 1 2\n')
    listing = NFS30.listing(data, None)
    assert not listing.found
    assert "20 rows do not fit 6 images" in listing.left_out["cup"]
    assert "line 2" in listing.left_out["text"]


def test_trackingnet_has_chunks_and_sends_a_zip(tmp_path: Path) -> None:
    data = trackingnet(tmp_path / "data", "TEST", "a_1", with_truth=False)
    trackingnet(data, "TRAIN_0", "b_2")
    listing = TRACKINGNET.listing(data, None)
    assert [(given.name, given.length) for given in listing.found] == [("a_1", 4), ("b_2", 4)]
    assert [frame.name for frame in listing.found[0].frames()] == ["0.png", "1.png", "2.png", "3.png"]
    run(TRACKINGNET, listing, tmp_path / "results")
    packed = TRACKINGNET.submission(listing.found, tmp_path / "results")
    assert packed is not None
    with zipfile.ZipFile(packed) as archive:
        assert archive.namelist() == ["a_1.txt", "b_2.txt"]
        lines = archive.read("a_1.txt").decode().splitlines()
    assert len(lines) == 4 and [float(part) for part in lines[0].split(",")] == [4, 6, 12, 10]
    assert [given.name for given in TRACKINGNET.listing(data / "TEST", None).found] == ["a_1"]
