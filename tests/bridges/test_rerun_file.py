"""Recordings read back by Rerun's own reader."""

import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_runs import CATEGORIES, HEIGHT, LENGTH, NAME, TRACKS, VIDEO_ID, WIDTH, dense, image, run_of_images
from PIL import Image

from vis_pipeline.bridges.finished import FinishedRun
from vis_pipeline.bridges.rerun_file import into_rerun_file, rerun_file
from vis_pipeline.cli.app import main
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.visualize.palette import identity_colours


@pytest.fixture
def reader() -> Any:
    pytest.importorskip("rerun", reason="the rerun extra is not installed")
    from rerun.chunk import RrdReader

    return RrdReader


def cells(reader: Any, path: Path, entity: str, component: str) -> dict[tuple[int, float | None], Any]:
    """The values of a component by frame and time in seconds, as Python has them."""
    found = {}
    for chunk in reader(path).stream().to_chunks():
        batch = chunk.to_record_batch()
        if chunk.entity_path == entity and component in batch.schema.names:
            frames = batch.column("frame").to_pylist()
            seconds = [None] * len(frames)
            if "time" in batch.schema.names:
                seconds = (np.array(batch.column("time").cast("int64")) / 1e9).tolist()
            values = batch.column(component)
            for row, key in enumerate(zip(frames, seconds, strict=True)):
                # Extension types have no Python form of their own.
                value = values[row].values
                found[key] = np.array(value.to_numpy(zero_copy_only=False).tolist()) if len(value) else []
    return found


def entity(reader: Any, path: Path, part: str) -> str:
    """Of the only video."""
    (name,) = {chunk.entity_path for chunk in reader(path).stream().to_chunks() if chunk.entity_path.endswith(part)}
    return name


def expected_segmentation(frame: int) -> np.ndarray:
    picture = np.zeros((HEIGHT, WIDTH), dtype=int)
    # Track 1 scores better than track 0.
    for track in (0, 1):
        picture[dense()[track, frame]] = track + 1
    return picture


def test_a_finished_run_is_read_back(reader: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, file = run_of_images(tmp_path), tmp_path / "run.rrd"
    monkeypatch.setattr(sys, "argv", ["vis-pipeline", "rerun", str(run), str(file)])
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code
    stem = FinishedRun(run).name(VIDEO_ID)
    assert stem in entity(reader, file, "/masks").replace("\\", "")
    keys = [(frame, frame / 2) for frame in range(LENGTH)]
    shown = [[track for track in (0, 1) if frame in TRACKS[track][3]] for frame in range(LENGTH)]

    pixels = cells(reader, file, entity(reader, file, "/masks"), "SegmentationImage:buffer")
    assert list(pixels) == keys
    for (frame, _), buffer in pixels.items():
        picture = np.array(buffer, dtype=np.uint8).tobytes()
        np.testing.assert_array_equal(
            np.frombuffer(picture, np.uint16).reshape(HEIGHT, WIDTH), expected_segmentation(frame)
        )
    jpegs = cells(reader, file, entity(reader, file, "/image"), "EncodedImage:blob")
    for (frame, _), blob in jpegs.items():
        opened = np.array(Image.open(BytesIO(np.array(blob, dtype=np.uint8).tobytes())))
        assert np.abs(opened.astype(int) - image(frame)).max() <= 2

    boxes = entity(reader, file, "/boxes")
    centers = cells(reader, file, boxes, "Boxes2D:centers")
    halves = cells(reader, file, boxes, "Boxes2D:half_sizes")
    for frame, key in enumerate(keys):
        corners = np.concatenate([centers[key] - halves[key], centers[key] + halves[key]], axis=1)
        wanted = [np.add(TRACKS[track][0], (frame, 0, frame, 0)).tolist() for track in shown[frame]]
        assert corners.tolist() == wanted
    by_component = {
        "Boxes2D:class_ids": lambda frame, track: track + 1,
        "Boxes2D:labels": lambda frame, track: f"{track} {CATEGORIES[track].name}",
        "track": lambda frame, track: track,
        "score": lambda frame, track: TRACKS[track][1],
        "category": lambda frame, track: TRACKS[track][2],
        "class_name": lambda frame, track: CATEGORIES[track].name,
        "state": lambda frame, track: "predicted" if frame in TRACKS[track][4] else "detected",
    }
    for component, value in by_component.items():
        found = cells(reader, file, boxes, component)
        assert {key: list(few) for key, few in found.items()} == {
            key: [value(frame, track) for track in shown[frame]] for frame, key in enumerate(keys)
        }


def test_classes_have_the_tracks_names_and_colours(reader: Any, tmp_path: Path) -> None:
    run, file = FinishedRun(run_of_images(tmp_path)), tmp_path / "run.rrd"
    with rerun_file(file, run.class_names) as recording:
        for frame, tracks in run.frames(VIDEO_ID):
            recording.add("v", frame, tracks)
    contexts = [
        (batch.column("frame").to_pylist(), batch.column("AnnotationContext:context").to_pylist())
        for chunk in reader(file).stream().to_chunks()
        if "AnnotationContext:context" in (batch := chunk.to_record_batch()).schema.names
    ]
    ((frames, ((context,),)),) = contexts
    # Both tracks begin in frame 0; nothing new comes later.
    assert frames == [0]
    infos = {entry["class_id"]: entry["class_description"]["info"] for entry in context}
    assert {number: info["label"] for number, info in infos.items()} == {1: "0 cat", 2: f"1 {CATEGORIES[1].name}"}
    blue, green, red = identity_colours(2)[1].tolist()
    assert infos[2]["color"] == red << 24 | green << 16 | blue << 8 | 255


def test_boxes_do_not_stay_where_there_are_none(reader: Any, tmp_path: Path) -> None:
    run, file = FinishedRun(run_of_images(tmp_path)), tmp_path / "live.rrd"
    with into_rerun_file(file, run.class_names) as watch:
        for frame, tracks in run.frames(VIDEO_ID):
            watch(frame, tracks.select(np.zeros(len(tracks), dtype=bool)) if frame.index == 1 else tracks)
    assert (1, 0.5) in cells(reader, file, "/video/boxes", "Clear:is_recursive")
    assert (1, 0.5) not in cells(reader, file, "/video/boxes", "Boxes2D:centers")
    assert NAME not in entity(reader, file, "/boxes")


def test_nothing_is_left_of_a_file_without_frames_or_after_an_error(reader: Any, tmp_path: Path) -> None:
    (tmp_path / "old.rrd").write_bytes(b"old")
    with (
        pytest.raises(DataError, match=r"old\.rrd: not written, since no frame came"),
        rerun_file(tmp_path / "old.rrd", {}),
    ):
        pass
    with pytest.raises(RuntimeError), rerun_file(tmp_path / "new.rrd", {}):
        raise RuntimeError
    with pytest.raises(DataError, match=r"none/new\.rrd: cannot be written"), rerun_file(tmp_path / "none/new.rrd", {}):
        pass
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("old.rrd", b"old")]


@pytest.mark.parametrize(("module", "command"), [("rerun", "rerun"), ("fiftyone", "fiftyone")])
def test_a_missing_package_is_one_line(
    module: str,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = run_of_images(tmp_path)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(sys, "argv", ["vis-pipeline", command, str(run), str(tmp_path / "out")])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert f"{module} is not installed; pip install 'vis-pipeline[{command}]'" in capsys.readouterr().err


def test_a_file_needs_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(ConfigError, match="rerun is not installed"), rerun_file(tmp_path / "new.rrd", {}):
        pass
