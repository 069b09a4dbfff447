"""Filling the store of features: each video's frames once through the detector's trunk."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from detectors.mmdet_config import read_config
from detectors.mmdet_network import frame_scale
from detectors.mmdet_regions import MmdetRegions, PyramidRegions
from vis_pipeline.errors import ConfigError
from vis_pipeline.structures.frames import Frame
from vis_pipeline.training.redetector.looks import Image, changed_boxes, changed_image, draw_look, moved_boxes
from vis_pipeline.training.redetector.settings import LookSettings, RedetectorTraining, StoreSettings
from vis_pipeline.training.redetector.store import VideoFeatures, is_stored, padded, read_features, write_features
from vis_pipeline.training.tracker.frame_store import FrameStore
from vis_pipeline.training.tracker.sources import TrainingObject, TrainingSet, TrainingVideo
from vis_pipeline.weights.fetch import sha256

_FORM = 1
"""Of the files; another one makes the features anew."""


class FeatureStore:
    """Features of a training set's videos, made where they are not there yet.

    Args:
        folder: of all videos' folders.
        data: the training set.
        settings: of the training; what the features depend on is in the folders' names.
        weights: of the detector.
    """

    def __init__(self, folder: Path, data: TrainingSet, settings: RedetectorTraining, weights: Path) -> None:
        self._data = data
        self._images = FrameStore(data.videos, 0)
        self._settings = settings.store
        self._looks = settings.looks
        self._seed = settings.seed
        common = _digest(
            [
                _FORM,
                _network_text(settings.detector.config),
                sha256(weights),
                asdict(settings.looks),
                settings.store.variants,
                settings.store.wide,
                settings.store.narrow,
                settings.seed,
            ]
        )
        self._frames = [_chosen_frames(video, self._settings) for video in data.videos]
        self._digests = [
            _digest([common, *_video_content(video, data, frames)])
            for video, frames in zip(data.videos, self._frames, strict=True)
        ]
        self._folders = [folder / digest[:32] for digest in self._digests]

    def missing(self) -> list[int]:
        """The videos whose features are not there."""
        return [index for index, folder in enumerate(self._folders) if not is_stored(folder)]

    def read(self, video: int) -> VideoFeatures:
        """A video's features.

        Raises:
            DataError: they are damaged.
        """
        return read_features(self._folders[video])

    def make(self, videos: Sequence[int], source: MmdetRegions) -> Iterator[int]:
        """Make the features of some videos, and give the index of each as it is done.

        Raises:
            ConfigError: they would take more room than the settings give.
            DataError: a frame cannot be read, or the disk takes no more.
        """
        sights = sum(len(self._frames[video]) for video in videos) * self._settings.variants
        for done, video in enumerate(videos):
            features = self._features(video, source)
            if not done:
                self._require_room(features, sights)
            write_features(self._folders[video], features)
            yield video

    def _require_room(self, features: VideoFeatures, sights: int) -> None:
        bytes_per_sight = (features.levels.nbytes + features.features.nbytes) / max(len(features.frames), 1)
        gigabytes = bytes_per_sight * sights / 2**30
        if gigabytes > self._settings.gigabytes:
            raise ConfigError(
                f"store.gigabytes = {self._settings.gigabytes:g}: the features of {sights} frames would take about "
                f"{gigabytes:.1f} GB; raise it, or lower store.frames_per_video or store.variants"
            )

    def _features(self, index: int, source: MmdetRegions) -> VideoFeatures:
        objects = [self._data.objects[number] for number in self._data.videos[index].objects]
        number = int(self._digests[index][:15], 16)
        sights = [
            _sight(
                self._images.read(index, frame),
                _boxes_in(objects, frame),
                self._looks,
                self._settings,
                source,
                (self._seed, number, frame, variant),
            )
            for frame in self._frames[index].tolist()
            for variant in range(self._settings.variants)
        ]
        regions = sights[0][0]
        counts = [len(places) for _, places, _, _ in sights]
        return VideoFeatures(
            levels=np.stack([_flat(pyramid) for pyramid, _, _, _ in sights]),
            proposals=padded([pyramid.proposals.cpu().numpy() for pyramid, _, _, _ in sights]),
            frames=np.repeat(self._frames[index], self._settings.variants),
            objects=np.concatenate([places for _, places, _, _ in sights]),
            sights=np.repeat(np.arange(len(sights)), counts),
            boxes=np.concatenate([boxes for _, _, boxes, _ in sights]),
            features=np.concatenate([found for _, _, _, found in sights]),
            shapes=tuple((level.shape[1], level.shape[2], level.shape[3]) for level in regions.levels),
            scale=regions.scale,
            size=regions.size,
        )


_Sight = tuple[PyramidRegions, NDArray[np.int64], NDArray[np.float32], NDArray[np.float16]]


def _sight(
    image: Image,
    present: tuple[NDArray[np.int64], NDArray[np.float64]],
    looks: LookSettings,
    store: StoreSettings,
    source: MmdetRegions,
    seed: tuple[int, ...],
) -> _Sight:
    """A frame in one look: its pyramid, and the objects [n], boxes [n, 3, 4] and features [n, 3, C, 7, 7] in it.

    `present` are the objects that it shows before, and their boxes; `seed` is the training's, the video's, the frame
    and the variant.
    """
    size = (image.shape[0], image.shape[1])
    rng = np.random.default_rng(seed)
    # A video is mirrored as a whole, in each variant or not.
    flip = bool(np.random.default_rng((seed[0], seed[1], seed[3])).random() < looks.flip)
    look = draw_look(flip, looks, rng)
    (regions,) = source.pyramids([Frame(0, seed[2], str(seed[2]), changed_image(image, look))])
    boxes, shown = changed_boxes(present[1], size, look)
    places, boxes = present[0][shown], boxes[shown]
    three = _three(boxes, store, size, rng)
    aligned = regions.align(torch.from_numpy(three).reshape(-1, 4).to(regions.levels[0].device))
    features = aligned.reshape(len(three), 3, *aligned.shape[1:]).half().cpu().numpy()
    return regions, places, three, features


def _boxes_in(objects: Sequence[TrainingObject], frame: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which objects a frame shows, int64 [n], and their boxes, float64 [n, 4], x1, y1, x2, y2."""
    places = np.array([place for place, entry in enumerate(objects) if frame in entry.visible], dtype=np.int64)
    boxes = np.array([objects[place].boxes[frame] for place in places]).reshape(-1, 4)
    return places, np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def _three(
    boxes: NDArray[np.float64], store: StoreSettings, size: tuple[int, int], rng: Generator
) -> NDArray[np.float32]:
    """True boxes, and these moved far and a little: float32 [n, 3, 4]."""
    moved = [boxes, *(moved_boxes(boxes, reach, size, rng) for reach in (store.wide, store.narrow))]
    return np.stack(moved, axis=1).astype(np.float32)


def _flat(regions: PyramidRegions) -> NDArray[np.float16]:
    return np.concatenate([level.half().cpu().numpy().ravel() for level in regions.levels])


def _chosen_frames(video: TrainingVideo, settings: StoreSettings) -> NDArray[np.int64]:
    """Evenly spaced frames of a video."""
    length = len(video.paths)
    count = min(length, settings.frames_per_video or length)
    return np.unique(np.linspace(0, length - 1, count).round().astype(np.int64))


def _video_content(video: TrainingVideo, data: TrainingSet, frames: NDArray[np.int64]) -> Iterator[object]:
    """What a video's features depend on: its frames' files by name and size, and its objects' boxes."""
    yield [video.width, video.height, frames.tolist()]
    for frame in frames.tolist():
        path = video.paths[frame]
        yield [path.parent.name, path.name, path.stat().st_size]
    for number in video.objects:
        entry = data.objects[number]
        yield [entry.visible.tolist(), hashlib.sha256(entry.boxes.tobytes()).hexdigest()]


@lru_cache
def _network_text(config: str) -> str:
    """What a config says of the model and of how frames are fitted."""
    settings = read_config(config)
    return json.dumps([settings.model.to_dict(), frame_scale(settings, config)], sort_keys=True, default=str)


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
