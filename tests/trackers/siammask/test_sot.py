import json

import av
import cv2
import numpy as np
import pytest
import torch
from siammask_scenes import moving_squares, random_network
from typer.testing import CliRunner

from vis_pipeline import __version__
from vis_pipeline.cli.app import app
from vis_pipeline.errors import UserError
from vis_pipeline.masks import decode
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.settings import PRESETS
from vis_pipeline.visualize.video_writer import Mp4Writer
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


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def run(*arguments):
    return invoke("sot", *arguments)


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
    tracker = SiamMaskPredictor(
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


@pytest.mark.parametrize(("kind", "options"), [("siamfc_small", ()), ("small", ("--cfg-options", "report=box"))])
def test_what_reports_boxes_alone_is_written_and_drawn_without_masks(scene, tmp_path, kind, options):
    folder, images, box = scene
    weights = tmp_path / "net.safetensors"
    write_state_dict(weights, random_network(kind).state_dict(), {"architecture": kind})
    fixed = ("--init", text(box), "--weights", weights, "--device", "cpu", "--out", tmp_path / "out")
    result = run(folder / "clip", *fixed, *options)
    assert result.exit_code == 0, result.output
    content = json.loads((tmp_path / "out/track.json").read_text())
    assert content.get("report") == ("box" if options else None)
    for entry in content["frames"]:
        x, y, w, h = entry["box"]
        assert entry["segmentation"] is None
        assert entry["rotated_box"] == [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]
    assert content["frames"][-1]["box"] != box.tolist()
    assert len(_decoded(tmp_path / "out/clip.mp4")) == len(images)


def test_what_weights_cannot_report_is_named_with_them(scene, tmp_path):
    folder, _, box = scene
    fixed = ("--init", text(box), "--weights", folder / "net.safetensors", "--json", tmp_path / "out.json")
    for options in (("report=score",), ("report=box", "--two-stage")):
        result = run(folder / "clip", *fixed, "--cfg-options", *options)
        assert isinstance(result.exception, UserError)
        assert str(result.exception).startswith(f"weights {folder / 'net.safetensors'}: ")


def _decoded(path):
    with av.open(str(path)) as container:
        return [(frame.time, frame.to_ndarray(format="bgr24").astype(int)) for frame in container.decode(video=0)]


def _tracked(scene, source, *arguments):
    folder, _, box = scene
    fixed = ("--init", text(box), "--weights", folder / "net.safetensors", "--device", "cpu")
    result = run(source, *fixed, *arguments)
    assert result.exit_code == 0, result.output
    return result


def test_the_file_says_how_it_was_made(scene, tmp_path):
    folder, images, box = scene
    _tracked(scene, folder / "clip", "--json", tmp_path / "out.json", "--preset", "vot18", "--two-stage")
    content = json.loads((tmp_path / "out.json").read_text())
    assert content.pop("frames")
    height, width = images[0].shape[:2]
    assert content == {
        "version": __version__,
        "source": str(folder / "clip"),
        "height": height,
        "width": width,
        "init": box.tolist(),
        "preset": "vot18",
        "stages": 2,
        "weights": str(folder / "net.safetensors"),
    }


def test_out_has_the_file_a_video_and_a_sheet(scene, tmp_path):
    folder, images, box = scene
    out = tmp_path / "new" / "out"
    _tracked(scene, folder / "clip", "--out", out, "--json", tmp_path / "track.json")
    assert {path.name for path in out.iterdir()} == {"track.json", "clip.mp4", "clip.png"}
    assert (out / "track.json").read_bytes() == (tmp_path / "track.json").read_bytes()
    drawn = _decoded(out / "clip.mp4")
    assert len(drawn) == len(images)
    # Small frames are enlarged; the first one has the given box, in yellow, and no mask.
    factor = drawn[0][1].shape[0] // images[0].shape[0]
    x, y, _, h = (box * factor).round().astype(int)
    edge = drawn[0][1][y + h // 3 : y + h // 2, x - 2 : x + 3]
    assert (edge[..., 2] - edge[..., 0]).max(axis=1).min() > 80
    assert cv2.imread(str(out / "clip.png")).shape[1] == 1600


def test_the_file_is_drawn_as_it_was_when_it_was_made(scene, tmp_path):
    folder, _, _ = scene
    _tracked(scene, folder / "clip", "--out", tmp_path / "out")
    again = invoke("visualize", tmp_path / "out/track.json")
    assert again.exit_code == 0, again.output
    assert (tmp_path / "out/clip.png").read_bytes() == (tmp_path / "out/pictures/clip.png").read_bytes()
    # x264 does not give the same bytes each time.
    pairs = zip(_decoded(tmp_path / "out/clip.mp4"), _decoded(tmp_path / "out/pictures/clip.mp4"), strict=True)
    assert max(np.abs(one - other).mean() for (_, one), (_, other) in pairs) < 2


def test_a_video_file_keeps_its_times(scene, tmp_path):
    _, images, _ = scene
    times = [0.0, 0.1, 2.5]
    with Mp4Writer(tmp_path / "clip.mp4", 10) as writer:
        for image, time in zip(images, times, strict=True):
            writer.write(image, time)
    _tracked(scene, tmp_path / "clip.mp4", "--out", tmp_path / "out")
    assert [time for time, _ in _decoded(tmp_path / "out/clip.mp4")] == pytest.approx(times, abs=1e-3)
    # What is written must not take the video's place.
    fixed = (tmp_path / "clip.mp4", "--init", "1,2,3,4", "--weights", scene[0] / "net.safetensors")
    assert "would take its place" in str(run(*fixed, "--out", tmp_path).exception)
    assert "is the video itself" in str(run(*fixed, "--json", tmp_path / "clip.mp4").exception)


@pytest.mark.parametrize(("size", "box"), [((1, 1), "0,0,1,1"), ((4, 300), "10,1,20,3"), ((300, 4), "1,10,3,20")])
def test_frames_of_any_size_are_tracked_and_drawn(scene, tmp_path, size, box):
    (tmp_path / "clip").mkdir()
    for index in range(2):
        cv2.imwrite(str(tmp_path / f"clip/{index}.png"), np.full((*size, 3), 90, np.uint8))
    weights = scene[0] / "net.safetensors"
    result = run(tmp_path / "clip", "--init", box, "--weights", weights, "--out", tmp_path / "out", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert len(_decoded(tmp_path / "out/clip.mp4")) == 2


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
        ({"--out": "/dev/null/out"}, "--out /dev/null/out: cannot be made"),
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


def test_nothing_to_write_is_a_fault(scene):
    result = run(scene[0] / "clip", "--init", text(scene[2]), "--weights", scene[0] / "net.safetensors")
    assert isinstance(result.exception, UserError)
    assert "give --json FILE, --out FOLDER or both" in str(result.exception)
