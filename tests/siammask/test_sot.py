import json

import cv2
import numpy as np
import pytest
import torch
from siammask_scenes import moving_squares, random_network
from typer.testing import CliRunner

from vis_pipeline.cli.app import app
from vis_pipeline.errors import UserError
from vis_pipeline.masks import decode
from vis_pipeline.siammask.presets import PRESETS
from vis_pipeline.siammask.tracker import SiamMaskTracker
from vis_pipeline.weights.files import write_state_dict


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A folder of frames, weights, the frames themselves and a box."""
    folder = tmp_path_factory.mktemp("sot")
    images, boxes = moving_squares(3)
    (folder / "clip").mkdir()
    for index, image in enumerate(images):
        cv2.imwrite(str(folder / "clip" / f"{index:05d}.png"), image)
    write_state_dict(folder / "net.safetensors", random_network("small").half().float().state_dict(), {})
    return folder, images, boxes[2] + [0.25, 0.5, 0, 0]


def run(*arguments):
    return CliRunner().invoke(app, ["sot", *map(str, arguments)])


def text(box):
    return ",".join(map(str, box))


@pytest.mark.parametrize("two_stage", [False, True])
def test_the_result_is_the_trackers(scene, tmp_path, two_stage):
    folder, images, box = scene
    out = tmp_path / "out.json"
    extra = ["--two-stage"] if two_stage else []
    result = run(
        folder / "clip",
        "--init",
        text(box),
        "--weights",
        folder / "net.safetensors",
        "--json",
        out,
        "--preset",
        "vot",
        "--device",
        "cpu",
        *extra,
    )
    assert result.exit_code == 0, result.output
    frames = json.loads(out.read_text())["frames"]
    assert [entry["frame"] for entry in frames] == ["00000.png", "00001.png", "00002.png"]
    assert all(set(entry) == {"frame", "box", "score", "segmentation", "rotated_box"} for entry in frames)
    first = frames[0]
    x, y, w, h = box
    assert (first["box"], first["score"], first["segmentation"]) == (box.tolist(), 1.0, None)
    assert first["rotated_box"] == [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]
    preset = PRESETS["vot"]
    tracker = SiamMaskTracker(
        random_network("small").half().float(), type(preset)(**{**vars(preset), "stages": 1 + two_stage})
    )
    states = tracker.initialise(torch.from_numpy(images[0]), torch.from_numpy(box[None]))
    for image, entry in zip(images[1:], frames[1:], strict=True):
        prediction = tracker.predict(torch.from_numpy(image), states)
        states = prediction.states
        np.testing.assert_allclose(entry["box"], prediction.boxes[0], atol=1e-3)
        np.testing.assert_allclose(entry["score"], prediction.scores[0], atol=1e-4)
        assert (decode(entry["segmentation"]) != prediction.masks[0].numpy()).mean() < 1e-3
        assert np.shape(entry["rotated_box"]) == (4, 2)


def test_frames_of_a_video_file_are_numbered(scene, tmp_path):
    folder, images, box = scene
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (width, height))
    for image in images:
        writer.write(image)
    writer.release()
    out = tmp_path / "out.json"
    result = run(tmp_path / "clip.avi", "--init", text(box), "--weights", folder / "net.safetensors", "--json", out)
    assert result.exit_code == 0, result.output
    assert [entry["frame"] for entry in json.loads(out.read_text())["frames"]] == [0, 1, 2]


@pytest.mark.parametrize(
    ("changes", "culprit"),
    [
        ({"--init": "1,2,3"}, "--init 1,2,3"),
        ({"--init": "a,b,c,d"}, "--init a,b,c,d"),
        ({"--init": "1,2,nan,4"}, "--init 1,2,nan,4"),
        ({"--init": "1,2,0,4"}, "--init 1,2,0,4"),
        ({"--init": "500,2,30,40"}, "outside frame 00000.png"),
        ({"--init": "-1e5,-1e5,1e6,1e6"}, "more than 4 times as large as frame 00000.png"),
        ({"--init": "-1e200,-1e200,1e201,1e201"}, "more than 4 times as large as frame 00000.png"),
        ({"--weights": "nowhere.pth"}, "nowhere.pth"),
        ({"--device": "abacus"}, "--device abacus"),
        ({"--json": "no/such/folder/out.json"}, "no/such/folder"),
    ],
)
def test_faults_name_their_culprit(scene, tmp_path, changes, culprit):
    folder, _, box = scene
    options = {
        "--init": text(box),
        "--weights": str(folder / "net.safetensors"),
        "--json": str(tmp_path / "out.json"),
        **changes,
    }
    result = run(folder / "clip", *(part for option in options.items() for part in option))
    assert isinstance(result.exception, UserError)
    assert culprit in str(result.exception)
    assert not (tmp_path / "out.json").exists()
