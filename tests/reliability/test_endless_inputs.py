"""Pipes, devices and files far too large, in the place of everything that is read: one line at once, and no memory."""

import json
import os
import signal
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib import format as npy

from detectors.class_maps import build_class_map
from evaluation.single_object.number_files import read_rows
from vis_pipeline.corrections.edit_list import read_edits
from vis_pipeline.data.class_table import read_class_table
from vis_pipeline.data.frames import VideoFrames
from vis_pipeline.data.label_images import frame_size, read_stored
from vis_pipeline.data.own_split import named_categories
from vis_pipeline.data.results import read_results
from vis_pipeline.data.rotated_truth import read_boxes
from vis_pipeline.data.sequence_names import sequence_names
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import DataError, UserError
from vis_pipeline.exchange.tables import table_rows
from vis_pipeline.exchange.text_lines import numbered_lines
from vis_pipeline.files.arrays import mapped_array, read_array
from vis_pipeline.files.images import open_picture, read_image
from vis_pipeline.files.json_files import parsed_json, read_json
from vis_pipeline.files.regular_files import MOST_IMAGE, open_regular, read_regular
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.runs.identity import content_digest
from vis_pipeline.settings.config import read_config_file
from vis_pipeline.structures.splits import Category, Split, Video
from vis_pipeline.weights.files import read_checkpoint, read_metadata, read_state_dict
from vis_pipeline.weights.keras import read_keras_resnet

SPLIT = Split((Video(1, 4, 4, 1, ("1/0.jpg",)),), (Category(1, "person"),), None)

READERS: dict[str, Callable[[Path], object]] = {
    "frame": read_image,
    "photograph's size": frame_size,
    "mask": read_stored,
    "video": lambda path: list(VideoFrames(1, path)),
    "split": lambda path: read_split(path),
    "results": lambda path: read_results(path, SPLIT),
    "class map": lambda path: build_class_map(["person"], SPLIT.categories, str(path)),
    "classes": read_class_table,
    "categories": lambda path: named_categories(str(path)),
    "edits": read_edits,
    "sequences": lambda path: sequence_names(path.parent, path),
    "boxes": read_boxes,
    "rows": read_rows,
    "lines": lambda path: list(numbered_lines(path)),
    "table": lambda path: list(table_rows(path, ("a",))),
    "config": lambda path: read_config_file(path, "c"),
    "checkpoint": read_checkpoint,
    "tensors": read_state_dict,
    "keras": read_keras_resnet,
    "array": read_array,
    "mapped array": mapped_array,
    "digest": content_digest,
}
SUFFIXES = {"config": ".json", "keras": ".json", "categories": ".txt"}


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """What waits for a pipe waits for ever."""

    def late(number: int, frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_never_ends_is_refused_at_once(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / f"input{SUFFIXES.get(name, '')}"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(UserError) as caught:
        READERS[name](path)
    assert "not a regular file" in str(caught.value)


def test_weights_in_safetensors_are_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    os.mkfifo(path)
    for read in (read_state_dict, read_metadata):
        with pytest.raises(UserError, match="a pipe, not a regular file"):
            read(path)


def test_a_file_is_refused_by_its_size_and_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"")
    os.truncate(path, MOST_IMAGE + 1)  # takes no room
    with pytest.raises(DataError, match="larger than 1,000 MB"):
        read_image(path)
    path.write_bytes(b"12345")
    assert read_regular(path, 5) == b"12345"
    with pytest.raises(OSError, match="larger than"):
        read_regular(path, 4)
    # Files of /proc state no size.
    with pytest.raises(OSError, match="larger than"):
        read_regular(Path("/proc/self/status"), 10)


def test_real_data_is_far_below_the_bounds() -> None:
    from vis_pipeline.files import images, regular_files

    assert images.MOST_PIXELS >= 4 * 3840 * 2160
    assert regular_files.MOST_JSON >= 10 * 10**9
    assert regular_files.MOST_TEXT >= 10_000 * 10_000
    assert regular_files.MOST_ARRAYS >= 10 * 10**9
    assert regular_files.MOST_IMAGE >= 3840 * 2160 * 4 * 2


@pytest.mark.parametrize("name", ["class map", "classes", "edits", "split", "results", "keras"])
@pytest.mark.parametrize("bracket", ["[", '{"a":'])
def test_deep_nesting_is_one_line(tmp_path: Path, name: str, bracket: str) -> None:
    path = tmp_path / "deep.json"
    path.write_text(bracket * 100_000 + ("]" if bracket == "[" else "1" + "}") * 100_000)
    with pytest.raises(UserError) as caught:
        READERS[name](path)
    assert "\n" not in str(caught.value)


def test_deep_nesting_in_memory() -> None:
    with pytest.raises(DataError, match="nested too deeply"):
        parsed_json("[" * 100_000 + "]" * 100_000)


def test_deeply_nested_files_of_a_run_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("[" * 100_000)
    with pytest.raises(DataError, match=r"config\.json"):
        RunFolder.open(tmp_path).config()


@pytest.mark.parametrize("content", [b"[", b'[{"video_id": "'])
def test_a_zip_that_unpacks_to_a_thousand_times_its_size(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("results.json", "w") as member:
        member.write(content)
        for _ in range(80):
            member.write(b" " * 2**20)
    assert path.stat().st_size < 10**6
    with pytest.raises(DataError, match=r"results\.json unpacks from"):
        read_results(path, SPLIT)


def test_results_of_nulls_are_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "results.zip"
    entry = {"video_id": 1, "category_id": 1, "score": 0.5, "segmentations": [None]}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("results.json", json.dumps([entry] * 20_000))
    assert len(read_results(path, SPLIT)) == 20_000


@pytest.mark.parametrize("side", [100_000, 65_500])
def test_a_head_that_states_a_giant_image(tmp_path: Path, side: int) -> None:
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    path = tmp_path / "giant.png"
    path.write_bytes(png)
    for read in (read_image, frame_size, read_stored):
        with pytest.raises(DataError, match=r"pixels"):
            read(path)
    with pytest.raises(DataError, match="pixels"), open_picture(path):
        pass


@pytest.mark.parametrize("shape", [(10**12,), (10**6, 10**6), (-1,), (2**62, 2**62)])
def test_an_array_that_states_more_than_its_file_holds(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        npy.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})  # type: ignore[no-untyped-call]
    for read in (read_array, mapped_array):
        with pytest.raises(DataError):
            read(path)


def test_arrays_of_objects_run_nothing(tmp_path: Path) -> None:
    touched = tmp_path / "touched"

    class Touch:
        def __reduce__(self) -> Any:
            return Path.touch, (touched,)

    path = tmp_path / "a.npy"
    np.save(path, np.array([Touch()], dtype=object), allow_pickle=True)
    for read in (read_array, mapped_array):
        with pytest.raises(DataError, match="holds objects"):
            read(path)
    np.savez(tmp_path / "b.npz", a=np.ones(3))
    (tmp_path / "b.npz").rename(path)
    with pytest.raises(DataError, match=r"not a \.npy file"):
        read_array(path)
    assert not touched.exists()


def test_a_sound_array_is_read(tmp_path: Path) -> None:
    expected = np.arange(12, dtype=np.float16).reshape(3, 4)
    np.save(tmp_path / "a.npy", expected)
    for read in (read_array, mapped_array):
        np.testing.assert_array_equal(read(tmp_path / "a.npy"), expected)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="a folder, not a regular file"):
        open_regular(tmp_path, 10)
    with pytest.raises(DataError, match="a folder"):
        read_json(tmp_path)
