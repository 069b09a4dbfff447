import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.single_object.protocols import protocol_scores
from vis_pipeline import masks
from vis_pipeline.cli.app import app
from vis_pipeline.data.splits import split_to_json
from vis_pipeline.errors import DataError
from vis_pipeline.protocols.from_split import write_sequences
from vis_pipeline.protocols.got10k import GOT10K
from vis_pipeline.protocols.otb import OTB
from vis_pipeline.structures.splits import Annotation, Category, Split, Video

BOXES = [None, (3, 4, 5, 6), (4, 4, 5, 6), None, (25, 4, 5, 6), None]


def annotation(identifier: int, boxes: list[tuple[int, ...] | None]) -> Annotation:
    segmentations = []
    for box in boxes:
        mask = np.zeros((1, 20, 30), dtype=bool)
        if box is not None:
            x, y, w, h = box
            mask[0, y : y + h, x : x + w] = True
        segmentations.append(None if box is None else masks.encode(mask)[0])
    return Annotation(identifier, 1, 1, tuple(segmentations), None, False)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A split of one video with an object that comes late and hides, one that shows once, and one that never does."""
    names = tuple(f"clip/{number:05}.jpg" for number in range(6))
    (tmp_path / "frames/clip").mkdir(parents=True)
    for number, name in enumerate(names):
        cv2.imwrite(str(tmp_path / "frames" / name), np.full((20, 30, 3), 40 * number, np.uint8))
    split = Split(
        (Video(1, 30, 20, 6, names),),
        (Category(1, "object"),),
        (annotation(1, BOXES), annotation(2, [(1, 1, 2, 2), *[None] * 5]), annotation(3, [None] * 6)),
    )
    (tmp_path / "split.json").write_text(json.dumps(split_to_json(split)))
    return tmp_path


def test_got10k_has_absence_and_the_images_edge(made: Path) -> None:
    written = write_sequences("got10k", made / "split.json", made / "frames", made / "out")
    assert written.names == ("clip-1",)
    assert "seen in 1 frame" in written.left_out["clip-2"]
    folder = made / "out/clip-1"
    assert (folder / "groundtruth.txt").read_text().splitlines() == [
        "3.0000,4.0000,5.0000,6.0000",
        "4.0000,4.0000,5.0000,6.0000",
        "0.0000,0.0000,0.0000,0.0000",
        "25.0000,4.0000,5.0000,6.0000",
    ]
    labels = {name: (folder / f"{name}.label").read_text().split() for name in ("absence", "cover", "cut_by_image")}
    assert labels == {"absence": list("0010"), "cover": list("8808"), "cut_by_image": list("0001")}
    first = cv2.imread(str(folder / "00000001.jpg"))
    assert abs(int(first[5, 5, 0]) - 40) < 3, "the sequence begins where the object is first seen"
    (given,) = GOT10K.listing(made / "out", None).found
    assert (given.name, given.length, given.box) == ("clip-1", 4, (3, 4, 5, 6))
    (made / "results/clip-1").mkdir(parents=True)
    (made / "results/clip-1/clip-1_001.txt").write_text((folder / "groundtruth.txt").read_text())
    assert protocol_scores("got10k", made / "results", made / "out").overall["AO"] == pytest.approx(1)


def test_otb_ends_before_the_object_hides(made: Path) -> None:
    assert write_sequences("otb", made / "split.json", made / "frames", made / "out").names == ("clip-1",)
    (given,) = OTB.listing(made / "out", None).found
    assert (given.length, given.box) == (2, (3, 4, 5, 6))
    assert (made / "out/clip-1/groundtruth_rect.txt").read_text().startswith("4.0000,5.0000,5.0000,6.0000\n")


def test_the_command_names_what_is_left_out(made: Path) -> None:
    from typer.testing import CliRunner

    given = ["vis-to-sot", "otb", "--split", made / "split.json", "--frames", made / "frames", "--out", made / "out"]
    result = CliRunner().invoke(app, list(map(str, given)))
    assert isinstance(result.exception, DataError) and "1 of 2 objects are left out" in str(result.exception)
    assert "sequence clip-2: " in result.output and f"{made / 'out'}: 1 sequences" in result.output


def test_what_cannot_be_written_is_refused(made: Path) -> None:
    split, frames = made / "split.json", made / "frames"
    with pytest.raises(DataError, match="form vot: give one of got10k, otb"):
        write_sequences("vot", split, frames, made / "out")
    with pytest.raises(DataError, match="is there already"):
        write_sequences("otb", split, frames, frames)
    (frames / "clip/00001.jpg").unlink()
    with pytest.raises(DataError, match="none of its 2 objects"):
        write_sequences("otb", split, frames, made / "out")
