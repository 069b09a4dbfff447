# ruff: noqa: C408 - dict() is how mmengine's configs are written
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, MODELS
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from small_splits import AWAY, CAT, DOG, HALF, WHOLE, found, rectangle, split, truth, video

from evaluation.youtube_vis import evaluate
from vis_pipeline.data.results import results_to_json
from vis_pipeline.data.splits import read_split, split_to_json
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.masks import decode

FIGURES = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]
SPLIT = split(
    truth(1, WHOLE, AWAY, video_id=3),
    truth(2, AWAY, None, video_id=3, category_id=2),
    truth(3, WHOLE, video_id=8),
    videos=[video(3, 2), video(8)],
    categories=[CAT, DOG],
)
# By video, as a model would give them.
TRACKS = {
    3: [found(0.5, WHOLE, AWAY, video_id=3), found(0.75, HALF, None, video_id=3, category_id=2)],
    8: [found(0.25, HALF, video_id=8)],
}
RESULTS = [track for tracks in TRACKS.values() for track in tracks]
EXPECTED = {f"youtube_vis/{name}": evaluate(RESULTS, SPLIT).to_json()[name] for name in FIGURES}


@pytest.fixture(scope="module")
def ann_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("gt") / "instances.json"
    path.write_text(json.dumps(split_to_json(SPLIT)))
    return str(path)


def evaluator(**arguments):
    return Evaluator(dict(type="vis_pipeline.YouTubeVIS", **{"split": SPLIT, **arguments}))


def frame(*instances, **meta):
    """A DetDataSample with (id, label, score, mask) instances."""
    identities, labels, scores, rles = zip(*instances, strict=True) if instances else [()] * 4
    masks = [torch.from_numpy(decode(rle)) for rle in rles]
    sample = DetDataSample(metainfo=meta)
    sample.pred_track_instances = InstanceData(
        instances_id=torch.tensor(identities, dtype=torch.int64),
        labels=torch.tensor(labels, dtype=torch.int64),
        scores=torch.tensor(scores, dtype=torch.float32),
        masks=torch.stack(masks) if masks else torch.zeros((0, 20, 20), dtype=torch.bool),
    )
    return sample


def track_sample(*frames):
    sample = TrackDataSample()
    sample.video_data_samples = list(frames)
    return sample


def test_the_name_alone_is_enough_and_the_package_itself_stays_light():
    code = """
import sys, vis_pipeline
assert not {"torch", "mmengine"} & set(sys.modules), "vis_pipeline imports too much"
from mmengine.registry import METRICS, init_default_scope
assert METRICS.get("vis_pipeline.YouTubeVIS").__module__ == "evaluation.mmengine_metric"
init_default_scope("mmdet")
from mmdet.registry import METRICS as MMDET_METRICS
assert MMDET_METRICS.get("vis_pipeline.YouTubeVIS") is METRICS.get("vis_pipeline.YouTubeVIS")
"""
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr


@pytest.mark.parametrize(
    "sample",
    [
        lambda tracks, identifier: {"video_id": identifier, "tracks": tracks},
        lambda tracks, identifier: {"video_id": identifier, "tracks": results_to_json(tracks)},
        lambda tracks, identifier: tracks,
    ],
    ids=["dict", "json", "list"],
)
def test_tracks_by_video_score_as_the_evaluator(sample, ann_file):
    metric = Evaluator(dict(type="vis_pipeline.YouTubeVIS", ann_file=ann_file))
    for identifier, tracks in TRACKS.items():
        metric.process([sample(tracks, identifier)])
    assert metric.evaluate(size=2) == EXPECTED


def test_mmdets_samples_become_tracks():
    # Labels index the dataset's classes, in an order of its own; identity 7 is called a dog, a cat, a cat.
    dog, cat = 0, 1
    frames = [
        frame((7, dog, 0.5, WHOLE), (9, dog, 0.75, AWAY), video_id=3, ori_video_length=4),
        frame((7, cat, 0.25, AWAY), video_id=3, ori_video_length=4),
        frame(video_id=3, ori_video_length=4),
        frame((7, cat, 0.75, HALF), video_id=3, ori_video_length=4),
    ]
    ground_truth = split(truth(1, WHOLE, AWAY, None, WHOLE, video_id=3), videos=[video(3, 4)], categories=[CAT, DOG])
    metric = evaluator(split=ground_truth)
    metric.dataset_meta = {"classes": ("dog", "cat")}
    metric.process([track_sample(*frames)])
    assert metric.metrics[0].results == [
        (
            {3},
            [
                found(0.5, WHOLE, AWAY, None, HALF, video_id=3),
                found(0.75, AWAY, None, None, None, video_id=3, category_id=2),
            ],
        )
    ]
    # 250 of 300 pixels: IoU 0.83, over 0.50 to 0.80.
    assert metric.evaluate(size=1)["youtube_vis/AP"] == pytest.approx(0.7)


def test_agrees_with_mmdets_own_metric_where_sizes_do_not_matter():
    videos, annotations, samples = [], [], []
    rng = np.random.default_rng(0)
    grid = [rectangle(0, 0, width, height) for width in range(4, 20, 3) for height in range(4, 20, 3)]
    for identifier in (4, 9):
        videos.append(video(identifier, 3))
        truths = [[grid[rng.integers(len(grid))] for _ in range(3)] for _ in range(3)]
        labels = rng.integers(0, 2, 3)
        for number, (track, label) in enumerate(zip(truths, labels, strict=True), start=10 * identifier):
            annotations.append(truth(number, *track, video_id=identifier, category_id=int(label) + 1))
        frames = []
        for index in range(3):
            instances = [
                {"bbox": [0, 0, 1, 1], "bbox_label": int(label), "instance_id": number, "mask": dict(track[index])}
                for number, (track, label) in enumerate(zip(truths, labels, strict=True), start=10 * identifier)
            ]
            noisy = [
                (i, int(labels[i % 3]), (i + 1) / 10, grid[rng.integers(len(grid))] if i > 2 else truths[i][index])
                for i in range(6)
                if rng.integers(4)
            ]
            meta = {"video_id": identifier, "img_id": 10 * identifier + index, "ori_shape": (20, 20)}
            sample = frame(*noisy, **meta, ori_video_length=3, instances=instances)
            sample.pred_track_instances.bboxes = torch.zeros((len(noisy), 4))
            frames.append(sample)
        samples.append(track_sample(*frames))
    names = {"mAP": "AP", "mAP_50": "AP50", "mAP_75": "AP75", "AR@1": "AR1", "AR@10": "AR10", "AR@100": "AR100"}
    theirs = {"type": "mmdet.YouTubeVISMetric", "metric_items": list(names), "prefix": "mmdet"}
    ours = {"type": "vis_pipeline.YouTubeVIS", "split": split(*annotations, videos=videos, categories=[CAT, DOG])}
    metric = Evaluator([ours, theirs])
    metric.dataset_meta = {"classes": ("cat", "dog")}
    metric.process(samples)
    scores = metric.evaluate(size=2)
    assert 0.1 < scores["youtube_vis/AP"] < 0.9
    for their_name, our_name in names.items():
        their_score = scores[f"mmdet/segm_{their_name}"]
        assert scores[f"youtube_vis/{our_name}"] == pytest.approx(their_score, abs=5e-4), our_name


@MODELS.register_module()
class RecordedTracks(BaseModel):
    """Knows the tracks of every video."""

    def forward(self, video_id, sample_idx, mode):
        return [{"video_id": identifier, "tracks": TRACKS[identifier]} for identifier in video_id]


@DATASETS.register_module()
class RecordedVideos(BaseDataset):
    METAINFO = {"classes": ("cat", "dog")}  # noqa: RUF012 - mmengine's own form

    def load_data_list(self):
        return [{"video_id": identifier} for identifier in TRACKS]


@pytest.mark.parametrize("scope", ["mmengine", "mmdet"])
def test_a_runner_validates_with_it(scope, ann_file, tmp_path):
    runner = Runner(
        model=RecordedTracks(),
        work_dir=str(tmp_path),
        val_dataloader=dict(
            batch_size=1,
            sampler=dict(type="DefaultSampler", shuffle=False),
            dataset=RecordedVideos(serialize_data=False),
            collate_fn=pseudo_collate,
        ),
        val_cfg=dict(),
        val_evaluator=dict(type="vis_pipeline.YouTubeVIS", ann_file=ann_file),
        default_scope=scope,
        experiment_name=f"{scope}_{tmp_path.name}",
        log_level="ERROR",
    )
    assert runner.val() == EXPECTED


def test_reports_the_figures_asked_for_and_saves_the_results(tmp_path):
    metric = evaluator(metrics=["AR1", "AP"], prefix="valid", outfile_prefix=str(tmp_path / "new" / "epoch_1"))
    metric.process([TRACKS[3], TRACKS[8]])
    assert list(metric.evaluate(size=2)) == ["valid/AR1", "valid/AP"]
    assert json.loads((tmp_path / "new" / "epoch_1.json").read_text()) == results_to_json(RESULTS)


def test_a_second_epoch_starts_afresh():
    metric = evaluator()
    for _ in range(2):
        metric.process([TRACKS[3], TRACKS[8]])
        assert metric.evaluate(size=2) == EXPECTED


def test_videos_without_a_sample_count_as_empty_with_a_warning(caplog):
    MMLogger.get_instance("test_missing_videos").addHandler(caplog.handler)
    metric = evaluator()
    metric.process([TRACKS[8]])
    scores = metric.evaluate(size=1)
    assert scores["youtube_vis/AP"] == evaluate(TRACKS[8], SPLIT).AP
    assert "1 videos of the ground truth have had no data sample and count as empty: 3" in caplog.text


@pytest.mark.parametrize(
    ("samples", "fault"),
    [
        ([TRACKS[3], TRACKS[3]], "video 3 came twice"),
        ([{"video_id": 3, "tracks": [found(0.5, WHOLE, video_id=3)]}], r"result 0 \(video 3\): 1 segmentations"),
        ([{"video_id": 3}], "data sample: a dict of video_id; give"),
        (["no video"], "data sample: str; give"),
        ([track_sample(frame(video_id=3, ori_video_length=2))], "video 3: a sample holds 1 of 2 frames"),
        (
            [track_sample(frame((1, 0, 0.5, WHOLE), (1, 0, 0.5, AWAY), video_id=8, ori_video_length=1))],
            "video 8, frame 0: more than one instance has the id 1",
        ),
        (
            [track_sample(frame((1, 2, 0.5, WHOLE), video_id=8, ori_video_length=1))],
            "class 2 of the dataset, 'bird', is no category of the ground truth",
        ),
        (
            [track_sample(frame((1, 3, 0.5, WHOLE), video_id=8, ori_video_length=1))],
            "class 3 of the dataset, None, is no category of the ground truth",
        ),
        (
            [track_sample(DetDataSample(metainfo={"video_id": 8}))],
            "video 8, frame 0: no `pred_track_instances` with `masks`",
        ),
    ],
)
def test_bad_samples_are_named(samples, fault):
    metric = evaluator()
    metric.dataset_meta = {"classes": ("cat", "dog", "bird")}
    with pytest.raises(DataError, match=fault) as caught:
        metric.process(samples)
        metric.evaluate(size=len(samples))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "error", "fault"),
    [
        ({"ann_file": "a.json"}, ConfigError, "ann_file, split: give the ground truth as one of the two"),
        ({"split": None, "ann_file": "absent.json"}, DataError, r"absent\.json: cannot be read"),
        ({"metrics": ["AP", "mAP"]}, ConfigError, "metrics: 'mAP' is none of AP, AP50"),
    ],
)
def test_bad_arguments_are_named(arguments, error, fault):
    with pytest.raises(error, match=fault):
        evaluator(**arguments)


def test_the_dataset_may_name_the_ground_truth(ann_file):
    metric = Evaluator(dict(type="vis_pipeline.YouTubeVIS"))
    with pytest.raises(DataError, match="no ground truth: give `ann_file` or `split`"):
        metric.metrics[0].split  # noqa: B018
    metric.dataset_meta = {"ann_file": str(ann_file)}
    assert metric.metrics[0].split == read_split(Path(ann_file))


def test_tracks_of_another_video_are_named():
    metric = evaluator()
    with pytest.raises(DataError, match="data sample of video 1: holds a track of video 2"):
        metric.process([{"video_id": 1, "tracks": [found(0.5, WHOLE, video_id=2)]}])
