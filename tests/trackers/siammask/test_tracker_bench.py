import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from vis_pipeline import masks
from vis_pipeline.bench.tracker import follow_split
from vis_pipeline.cli import bench
from vis_pipeline.data.splits import split_to_json
from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.trackers.siammask.predictor import TargetStates

HEIGHT, WIDTH, FRAMES = 40, 60, 6


def rectangle(x, width=12):
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[10:30, x : x + width] = True
    return mask


# The first object is hidden in frame 3; the second begins in frame 2; the third shows once; the fourth is a crowd.
SHOWN = [[0, 2, 4, None, 8, 10], [None, None, 30, 32, 34, 36], [None, 40, None, None, None, None], [0] * FRAMES]


@pytest.fixture
def material(tmp_path):
    names = tuple(f"v/{index:05d}.png" for index in range(FRAMES))
    (tmp_path / "v").mkdir()
    for name in names:
        cv2.imwrite(str(tmp_path / name), np.full((HEIGHT, WIDTH, 3), 90, dtype=np.uint8))
    objects = tuple(
        Annotation(
            number,
            7,
            1,
            tuple(None if x is None else masks.encode(rectangle(x)[None])[0] for x in places),
            None,
            iscrowd=number == 4,
        )
        for number, places in enumerate(SHOWN, start=1)
    )
    return Split((Video(7, WIDTH, HEIGHT, FRAMES, names),), (Category(1, "thing"),), objects), tmp_path


class Recorder:
    """Predicts a fixed rectangle for each target: the object itself, narrower by `missing` columns."""

    def __init__(self, missing):
        self.missing, self.frame, self.begun = missing, -1, []

    def initialise(self, image, boxes):
        self.begun += [(self.frame + 1, round(float(x))) for x, *_ in boxes]
        count = len(boxes)
        return TargetStates(
            torch.zeros(count, 1, 7, 7), torch.zeros(count, 2).double(), torch.ones(count, 2).double(),
            torch.ones(count), torch.zeros(count, 3, dtype=torch.uint8),
        )  # fmt: skip

    def predict(self, image, states):
        self.frame += 1
        starts = [(x, frame) for frame, x in self.begun][: len(states)]
        places = [x + 2 * (self.frame + 1 - frame) for x, frame in starts]
        found = np.stack([rectangle(x, 12 - self.missing) for x in places])
        return SimpleNamespace(states=states, masks=torch.from_numpy(found))


def test_objects_are_followed_from_their_first_box_and_scored_where_they_show(material):
    split, frames = material
    whole = {entry.annotation: entry for entry in follow_split(Recorder(0), split, frames)}
    # The last frame is left out. Object 1: frames 1, 2, 4 (hidden in 3); object 2: frames 3, 4.
    assert {number: entry.frames for number, entry in whole.items()} == {1: 3, 2: 2}
    assert all((entry.J.mean, entry.F.mean) == (1.0, 1.0) for entry in whole.values())
    narrow = {entry.annotation: entry for entry in follow_split(Recorder(3), split, frames)}
    assert narrow[1].J.mean == pytest.approx(9 / 12) and narrow[2].video == "v"
    assert narrow[1].F.mean < 1


def test_a_split_without_annotations_is_refused(material):
    split, frames = material
    with pytest.raises(DataError, match="test form"):
        list(follow_split(Recorder(0), Split(split.videos, split.categories, None), frames))


def test_the_command_scores_both_stages(material, tmp_path):
    split, frames = material
    (tmp_path / "split.json").write_text(json.dumps(split_to_json(split)))
    app = typer.Typer(pretty_exceptions_enable=False)
    bench.register(app)
    options = ["--split", str(tmp_path / "split.json"), "--frames", str(frames), "--json", str(tmp_path / "out.json")]
    outcome = CliRunner().invoke(app, ["bench", "tracker", "bundled:siammask_small", *options])
    assert outcome.exit_code == 0, outcome.output
    assert "all objects" in outcome.output
    written = json.loads((tmp_path / "out.json").read_text())
    assert [[entry["annotation"] for entry in written[f"stages_{stages}"]] for stages in (1, 2)] == [[1, 2], [1, 2]]
    outcome = CliRunner().invoke(app, ["bench", "tracker", "bundled:siammask_small", *options, "--only", "w"])
    assert isinstance(outcome.exception, DataError) and "--only: the split has no video w" in str(outcome.exception)
