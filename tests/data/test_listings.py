"""What others leave in data folders, and names that look like numbers and are none."""

import cv2
import numpy as np
import pytest
from PIL import Image

from vis_pipeline.data.davis import davis_split
from vis_pipeline.data.image_files import image_paths
from vis_pipeline.data.label_images import stored_values
from vis_pipeline.data.listings import subfolders, visible_below
from vis_pipeline.data.sequence_names import sequence_names
from vis_pipeline.data.youtube_vos import youtube_vos_split
from vis_pipeline.errors import DataError
from vis_pipeline.synthesis.composed.backgrounds import find_backgrounds
from vis_pipeline.synthesis.composed.sprites import find_sprites

HEIGHT, WIDTH = 16, 24


def picture(path, mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (WIDTH, HEIGHT), 255 if mode == "L" else None).save(path)


def litter(folder):
    """What Jupyter and macOS leave."""
    (folder / ".ipynb_checkpoints").mkdir()
    for name in ("._00000.jpg", "._00000.png", ".DS_Store"):
        (folder / name).write_bytes(b"\0\5\x16\7")


@pytest.fixture
def davis(tmp_path):
    for sequence in ("bear", "dog"):
        for number in range(2):
            picture(tmp_path / f"frames/{sequence}/{number:05d}.jpg")
            picture(tmp_path / f"masks/{sequence}/{number:05d}.png", "L")
    for name in ("frames", "masks", "frames/bear", "masks/bear"):
        litter(tmp_path / name)
    return tmp_path


def test_hidden_entries_are_no_sequences_and_no_frames(davis):
    split = davis_split(davis / "frames", davis / "masks")
    assert [video.name for video in split.videos] == ["bear", "dog"]
    assert [video.length for video in split.videos] == [2, 2]
    assert sequence_names(davis / "masks") == ("bear", "dog")
    assert [folder.name for folder in subfolders(davis / "frames")] == ["bear", "dog"]
    assert len(list(visible_below(davis / "frames"))) == 4
    assert [len(background.paths) for background in find_backgrounds([davis / "frames"], (), (), 0)] == [2, 2]


def test_a_list_may_begin_with_a_byte_order_mark(davis):
    (davis / "list.txt").write_bytes("dog\r\nbear\r\n".encode("utf-8-sig"))
    assert sequence_names(davis / "masks", davis / "list.txt") == ("dog", "bear")


def test_hidden_sprites_are_none(tmp_path):
    picture(tmp_path / "cat/1.png", "RGBA")
    litter(tmp_path)
    litter(tmp_path / "cat")
    _, sprites = find_sprites(tmp_path, "folder", ())
    assert [sprite.path.name for sprite in sprites] == ["1.png"]


def test_youtube_vos_knows_no_hidden_folders(davis):
    meta = davis / "meta.json"
    meta.write_text('{"videos": {"dog": {"objects": {"255": {"category": "dog", "frames": ["00000", "00001"]}}}}}')
    split = youtube_vos_split(meta, davis / "masks", davis / "frames")
    assert [video.length for video in split.videos] == [2]


def test_digits_that_are_no_numbers_are_names(tmp_path):
    for name in ("2.png", "10.png", "²1.png", "x².png", "٣.png"):
        cv2.imencode(".png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))[1].tofile(tmp_path / name)
    found = [path.name for path in image_paths(tmp_path)]
    assert set(found) == {"2.png", "10.png", "²1.png", "x².png", "٣.png"}
    assert found.index("2.png") < found.index("٣.png") < found.index("10.png")


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "PA", "RGB", "RGBA"])
def test_a_mask_is_read_in_every_form_that_releases_hold(mode):
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[2:8, 3:9] = 1 if mode in ("P", "PA") else 255
    image = Image.fromarray(values, "P" if mode in ("P", "PA") else "L")
    if mode == "P":
        image.putpalette([0, 0, 0, 128, 0, 0])
    elif mode == "PA":
        image.putpalette([0, 0, 0, 128, 0, 0])
        image = image.convert("PA")
    else:
        image = image.convert(mode)
    assert image.mode == mode
    expected = values > 0 if mode == "1" else values
    np.testing.assert_array_equal(stored_values(image), expected)


def test_a_mask_in_colour_is_refused():
    image = Image.new("RGB", (WIDTH, HEIGHT), (255, 0, 0))
    with pytest.raises(DataError, match="not RGB in colour"):
        stored_values(image)
