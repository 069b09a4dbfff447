from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from vis_pipeline import masks
from vis_pipeline.data.davis import davis_split
from vis_pipeline.data.frames import split_frames
from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.splits import Split

HEIGHT, WIDTH = 20, 30
SHARED = Path(__file__).resolve().parents[2].parent / "shared/data/davis2016_train"


def indexed(*objects: int) -> np.ndarray:
    """A column of the picture for each object, from the left."""
    indices = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    for column, index in enumerate(objects):
        indices[:, 4 * column : 4 * column + 3] = index
    return indices


def write_sequence(folder: Path, name: str, mask_images: list[Image.Image]) -> None:
    for kind in ("frames", "masks"):
        (folder / kind / name).mkdir(parents=True)
    for index, image in enumerate(mask_images):
        cv2.imwrite(str(folder / f"frames/{name}/{index:05}.jpg"), np.full((HEIGHT, WIDTH, 3), 40, np.uint8))
        image.save(folder / f"masks/{name}/{index:05}.png")


def palette(indices: np.ndarray) -> Image.Image:
    image = Image.fromarray(indices).convert("P")
    image.putdata(indices.ravel().tolist())
    image.putpalette([value for index in range(256) for value in (index, 255 - index, 7)])
    return image


def convert(folder: Path) -> Split:
    return davis_split(folder / "frames", folder / "masks")


@pytest.mark.parametrize("mode", ["1", "L"])
def test_black_and_white_masks_are_one_object(tmp_path: Path, mode: str) -> None:
    white = indexed(255, 255)
    write_sequence(tmp_path, "bear", [Image.fromarray(white).convert(mode)] * 2)
    split = convert(tmp_path)
    assert split.videos[0].file_names == ("bear/00000.jpg", "bear/00001.jpg")
    assert (split.videos[0].height, split.videos[0].width) == (HEIGHT, WIDTH)
    assert split.annotations is not None and len(split.annotations) == 1
    rle = split.annotations[0].segmentations[0]
    assert rle is not None
    np.testing.assert_array_equal(masks.decode(rle), white > 0)
    assert split.annotations[0].areas == ((white > 0).sum(),) * 2


def test_palette_indices_are_objects_and_void_is_none(tmp_path: Path) -> None:
    write_sequence(tmp_path, "cats", [palette(indexed(1, 3, 255)), palette(indexed(3))])
    write_sequence(tmp_path, "dogs", [palette(indexed(2))])
    split = convert(tmp_path)
    assert split.annotations is not None
    found = [
        (entry.id, entry.video_id, [rle is not None for rle in entry.segmentations]) for entry in split.annotations
    ]
    assert found == [(1, 1, [True, False]), (2, 1, [True, True]), (3, 2, [True])]
    rle = split.annotations[1].segmentations[0]
    assert rle is not None
    np.testing.assert_array_equal(masks.decode(rle), indexed(1, 3, 255) == 3)


def test_white_in_one_frame_of_grey_indices_is_void(tmp_path: Path) -> None:
    write_sequence(tmp_path, "cats", [Image.fromarray(indexed(1, 255)), Image.fromarray(indexed(0, 255))])
    split = convert(tmp_path)
    assert split.annotations is not None and len(split.annotations) == 1
    assert [rle is not None for rle in split.annotations[0].segmentations] == [True, False]


def test_without_masks_there_are_no_annotations(tmp_path: Path) -> None:
    write_sequence(tmp_path, "bear", [palette(indexed(1))])
    assert davis_split(tmp_path / "frames", None).annotations is None


def test_the_frames_of_the_split_are_found(tmp_path: Path) -> None:
    write_sequence(tmp_path, "bear", [palette(indexed(1))] * 3)
    split = convert(tmp_path)
    frames = list(split_frames(split.videos[0], tmp_path / "frames"))
    assert [isinstance(frame, Frame) for frame in frames] == [True] * 3


def test_faults_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a folder"):
        convert(tmp_path)
    (tmp_path / "frames").mkdir()
    with pytest.raises(DataError, match="holds no folders"):
        convert(tmp_path)
    write_sequence(tmp_path, "bear", [palette(indexed(1))] * 2)
    mask = tmp_path / "masks/bear/00001.png"
    Image.new("RGB", (WIDTH, HEIGHT), "red").save(mask)
    with pytest.raises(DataError, match=r"sequence bear, mask 00001\.png: .* not RGB"):
        convert(tmp_path)
    Image.fromarray(np.zeros((HEIGHT, WIDTH + 1), np.uint8)).save(mask)
    with pytest.raises(DataError, match=r"sequence bear, mask 00001\.png: is 31x20, the frames are 30x20"):
        convert(tmp_path)
    mask.write_bytes(mask.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"sequence bear, mask 00001\.png: "):
        convert(tmp_path)
    mask.unlink()
    with pytest.raises(DataError, match=r"sequence bear, mask 00001\.png: cannot be read"):
        convert(tmp_path)
    for path in (tmp_path / "frames/bear").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="bear: holds no images"):
        convert(tmp_path)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real sequences are not beside this checkout")
def test_real_sequences() -> None:
    split = convert(SHARED)
    assert split.annotations is not None
    assert (len(split.videos), len(split.annotations)) == (30, 30)
    lengths = {video.name: video.length for video in split.videos}
    assert (lengths["dog-agility"], lengths["motorbike"], lengths["rollerblade"]) == (25, 43, 35)
    assert {
        video.length for video in split.videos if video.name not in ("dog-agility", "motorbike", "rollerblade")
    } == {48}
    assert {(video.width, video.height) for video in split.videos} == {(640, 360)}
    first = split.videos[0]
    frame = next(iter(split_frames(first, SHARED / "frames")))
    assert isinstance(frame, Frame) and frame.image.shape == (360, 640, 3)
