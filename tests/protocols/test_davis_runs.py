"""DAVIS from its folders to its result files: who is run, what is written, and what cannot be."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_objects import HEIGHT, LENGTH, WIDTH, drawn_video, small_trackers, write_frames, write_label_maps
from PIL import Image

from evaluation.davis import Form, davis_scores
from evaluation.davis_folders import folder_sequences
from vis_pipeline import masks
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.files.palette_images import palette_png
from vis_pipeline.protocols.benchmark import Trackers
from vis_pipeline.protocols.davis import Davis2016, Davis2017
from vis_pipeline.protocols.object_masks import read_frames
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.settings import SiamMaskSettings

NAMES = [f"{index:05d}" for index in range(LENGTH)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two sequences of DAVIS; `late` has masks of the first two objects only."""
    data = tmp_path / "DAVIS"
    for sequence in ("cross", "late"):
        write_frames(data / "JPEGImages/480p" / sequence, NAMES)
        write_label_maps(
            data / "Annotations/480p" / sequence,
            {name: labels * (labels != 2) for name, labels in zip(NAMES, drawn_video()[1], strict=True)},
        )
    return data


def stored(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_all_objects_of_2017_are_followed_and_written_with_the_palette(data: Path, tmp_path: Path) -> None:
    benchmark, results, done = Davis2017(), tmp_path / "results", []
    (given, _) = benchmark.listing(data, None).found
    assert (given.name, given.length) == ("cross", LENGTH)
    assert not benchmark.is_done(given, results)
    benchmark.run(given, small_trackers(), results, done.append)
    assert sum(done) == LENGTH and benchmark.is_done(given, results)
    assert benchmark.submission([given], results) is None
    assert sorted(path.name for path in (results / "cross").iterdir()) == [f"{name}.png" for name in NAMES]
    with Image.open(results / "cross/00003.png") as image:
        assert image.mode == "P" and image.getpalette()[:12] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
        assert set(np.unique(np.array(image))) == {0, 1, 3}
    truth = drawn_video()[1][0]
    np.testing.assert_array_equal(stored(results / "cross/00000.png"), truth)
    scores = davis_scores(
        folder_sequences(results, data / "Annotations/480p", ["cross"], Form.SEMI_SUPERVISED), Form.SEMI_SUPERVISED
    )
    assert scores.J.mean > 0.8


def test_only_the_first_mask_is_read(data: Path, tmp_path: Path) -> None:
    for path in (data / "Annotations/480p/cross").iterdir():
        if path.stem != NAMES[0]:
            path.unlink()
    (given,) = Davis2017().listing(data, ["cross"]).found
    Davis2017().run(given, small_trackers(), tmp_path / "few", lambda count: None)
    (given,) = Davis2017().listing(data, ["late"]).found
    Davis2017().run(given, small_trackers(), tmp_path / "all", lambda count: None)
    for name in NAMES:
        np.testing.assert_array_equal(
            stored(tmp_path / f"few/cross/{name}.png"), stored(tmp_path / f"all/late/{name}.png")
        )


def test_2016_follows_all_that_is_marked_as_one_object(data: Path, tmp_path: Path) -> None:
    trackers, results = small_trackers(), tmp_path / "results"
    (given,) = Davis2016().listing(data, ["cross"]).found
    Davis2016().run(given, trackers, results, lambda count: None)
    first = drawn_video()[1][0]
    first = (first > 0) & (first != 2)
    ys, xs = np.nonzero(first)
    box = np.array([xs.min(), ys.min(), xs.max() + 1 - xs.min(), ys.max() + 1 - ys.min()], dtype=np.float64)
    followed = list(trackers.follow(read_frames("cross", given.frames), box))
    np.testing.assert_array_equal(stored(results / "cross/00000.png"), first * np.uint8(255))
    for name, found in list(zip(NAMES, followed, strict=True))[1:]:
        assert found.mask is not None
        np.testing.assert_array_equal(stored(results / f"cross/{name}.png"), masks.decode(found.mask) * 255)
    assert Davis2016().is_done(given, results) and not Davis2016().is_done(given, tmp_path)


def test_the_validation_lists_say_who_is_run(data: Path) -> None:
    for name, text in {
        "480p/val.txt": "/JPEGImages/480p/late/00000.jpg /Annotations/480p/late/00000.png\n",
        "2017/val.txt": "late\ngone\n",
    }.items():
        path = data / "ImageSets" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert [given.name for given in Davis2016().listing(data, None).found] == ["late"]
    listing = Davis2017().listing(data, None)
    assert [given.name for given in listing.found] == ["late"]
    assert dict(listing.left_out) == {"gone": f"no folder of that name in {data / 'JPEGImages/480p'}"}
    assert [given.name for given in Davis2017().listing(data, ["cross", "late"]).found] == ["cross", "late"]


def test_the_folders_may_be_called_frames_and_masks(data: Path) -> None:
    (data / "JPEGImages/480p").rename(data / "frames")
    (data / "Annotations/480p").rename(data / "masks")
    for kind in ("JPEGImages", "Annotations"):
        (data / kind).rmdir()
    assert [given.name for given in Davis2016().listing(data, None).found] == ["cross", "late"]


def test_a_folder_of_something_else_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not laid out as DAVIS, with JPEGImages/480p and Annotations/480p, or"):
        Davis2017().listing(tmp_path, None)


def test_sequences_that_cannot_be_run_are_left_out_and_the_others_are_there(data: Path) -> None:
    (data / "Annotations/480p/late/00000.png").unlink()
    (data / "JPEGImages/480p/empty").mkdir()
    listing = Davis2017().listing(data, None)
    assert [given.name for given in listing.found] == ["cross"]
    assert "holds no images" in listing.left_out["empty"]
    assert listing.left_out["late"] == f"no mask {data / 'Annotations/480p/late/00000.png'}, that of its first frame"


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def of_another_size(path: Path) -> None:
    path.write_bytes(palette_png(np.ones((HEIGHT, WIDTH - 2), np.uint8)))


def without_an_object(path: Path) -> None:
    path.write_bytes(palette_png(np.zeros((HEIGHT, WIDTH), np.uint8)))


@pytest.mark.parametrize("benchmark", [Davis2016(), Davis2017()])
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (cut_short, "mask .*00000.png: .*cut short"),
        (of_another_size, r"158x120.*160x120"),
        (without_an_object, "mask .*00000.png: has no object"),
    ],
)
def test_a_bad_mask_is_one_line_and_leaves_no_result(benchmark, harm, said: str, data: Path, tmp_path: Path) -> None:
    harm(data / "Annotations/480p/cross/00000.png")
    (given,) = benchmark.listing(data, ["cross"]).found
    with pytest.raises(DataError, match=said):
        benchmark.run(given, small_trackers(), tmp_path / "results", lambda count: None)
    assert not list(tmp_path.glob("results/*")) and not list(tmp_path.glob("results/.*"))


def test_a_bad_frame_is_one_line_and_leaves_no_result(data: Path, tmp_path: Path) -> None:
    cut_short(data / "JPEGImages/480p/cross/00003.jpg")
    (given,) = Davis2017().listing(data, ["cross"]).found
    with pytest.raises(DataError, match=r"00003\.jpg"):
        Davis2017().run(given, small_trackers(), tmp_path / "results", lambda count: None)
    assert not list((tmp_path / "results").iterdir())


def test_trackers_that_do_not_serve_are_named(data: Path, tmp_path: Path) -> None:
    (given,) = Davis2017().listing(data, ["cross"]).found
    good = small_trackers()
    siamrpn = SiamMaskPredictor(SiamMask(ARCHITECTURES["siamrpn_small"]), SiamMaskSettings())
    siammask = SiamMaskPredictor(SiamMask(ARCHITECTURES["small"]), SiamMaskSettings(report="box"))

    def without_masks(frames, box):
        for found in good.follow(frames, box):
            yield replace(found, mask=None)

    for benchmark, trackers in (
        (Davis2017(), Trackers(good.follow, siamrpn, "state")),
        (Davis2016(), Trackers(good.follow, siammask, "state")),
        (Davis2016(), Trackers(without_masks, None, "state")),
        (Davis2017(), Trackers(without_masks, None, "state")),
    ):
        with pytest.raises(ConfigError, match="makes no masks"):
            benchmark.run(given, trackers, tmp_path, lambda count: None)
    assert not (tmp_path / "cross").exists()
    for kind in ("min-max", "mbr", "opt"):
        with pytest.raises(ConfigError, match=f"--boxes {kind}: the tracker makes no masks"):
            Trackers(good.follow, siamrpn, kind)


def test_a_tracker_of_one_object_follows_each_alone(data: Path, tmp_path: Path) -> None:
    (given,) = Davis2017().listing(data, ["cross"]).found
    follow = small_trackers().follow
    Davis2017().run(given, Trackers(follow, None, "state"), tmp_path, lambda count: None)
    labels = drawn_video()[1][0]
    alone = {}
    for number in (1, 3):
        ys, xs = np.nonzero(labels == number)
        box = np.array([xs.min(), ys.min(), xs.max() + 1 - xs.min(), ys.max() + 1 - ys.min()], dtype=np.float64)
        alone[number] = list(follow(read_frames("cross", given.frames), box))
    for index, name in enumerate(NAMES[1:], start=1):
        expected = np.zeros_like(labels)
        for number in sorted(alone, key=lambda number: (alone[number][index].score, -number)):
            mask = alone[number][index].mask
            assert mask is not None
            expected[masks.decode(mask) > 0] = number
        np.testing.assert_array_equal(stored(tmp_path / f"cross/{name}.png"), expected)


def test_a_folder_that_is_not_the_result_is_not_replaced(data: Path, tmp_path: Path) -> None:
    (given,) = Davis2017().listing(data, ["cross"]).found
    (tmp_path / "cross").mkdir()
    (tmp_path / "cross/notes.txt").write_text("mine")
    assert not Davis2017().is_done(given, tmp_path)
    with pytest.raises(DataError, match="cross: is there, and is not what is to be written"):
        Davis2017().run(given, small_trackers(), tmp_path, lambda count: None)
    assert (tmp_path / "cross/notes.txt").read_text() == "mine"
