"""What a run's results depend on, by content, and with what software they were made."""

import hashlib
import json
import platform
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from detectors.mmdet_config import read_config
from vis_pipeline import __version__
from vis_pipeline.data.frames import ImageFrames, VideoFrames
from vis_pipeline.errors import DataError
from vis_pipeline.runs.worker import WorkerFactory
from vis_pipeline.weights.fetch import sha256

RECORDED_PACKAGES = ("torch", "mmdet", "mmcv", "mmengine", "scipy", "numpy", "opencv-python", "pycocotools", "ray")


def run_identity(factory: WorkerFactory, input_digest: str, recorded_class_map: str | None) -> dict[str, Any]:
    """What the results depend on, as JSON; `input_digest` stands for the frames, the class map is that of a recording.

    Raises:
        DataError, ConfigError: a file that it depends on cannot be read.
    """
    pipeline = asdict(factory.settings)
    detector = pipeline["detector"]
    # As JSON: to lay it out as Python, as mmengine does, takes a second.
    config = json.dumps(read_config(detector["config"]).to_dict(), default=repr)
    detector["config_sha256"] = hashlib.sha256(config.encode()).hexdigest()
    detector["class_map"] = _reference(detector["class_map"])
    for part in (detector, pipeline["tracker"], pipeline["tracker"].get("memory") or {}):
        part.pop("checkpoint", None)
    detector.pop("config")
    recorded = None
    if factory.recording is not None:
        digest = _joint_digest(factory.recording.files)
        recorded = {"sha256": digest, "class_map": _reference(recorded_class_map)}
    return {
        "version": __version__,
        "pipeline": pipeline,
        "seed": factory.seed,
        "input_sha256": input_digest,
        "weights_sha256": {part: content_digest(path) for part, path in factory.checkpoints().items()},
        "detections": recorded,
        "save_detections": factory.detections_folder is not None,
    }


def _reference(name: str | None) -> str | None:
    """A name as it is, a file by its content."""
    return content_digest(Path(name)) if name is not None and Path(name).is_file() else name


def video_digest(frames: ImageFrames | VideoFrames) -> str:
    """The content of a video file; of images their names, sizes and times of change."""
    if isinstance(frames, VideoFrames):
        return content_digest(frames.path)
    return listing_digest(frames.paths)


def listing_digest(files: Iterable[Path]) -> str:
    """Names, sizes and times of change; of a file that is not there the name alone."""
    digest = hashlib.sha256()
    for path in files:
        facts: tuple[int, int] | None = None
        with suppress(OSError, ValueError):
            found = path.stat()
            facts = found.st_size, found.st_mtime_ns
        digest.update(json.dumps([path.name, facts]).encode())
    return digest.hexdigest()


def software_versions() -> dict[str, str]:
    """The versions of Python, of this package and of those that it rests on; empty where one is not installed."""
    versions = {"python": platform.python_version(), "vis-pipeline": _version("vis-pipeline")}
    forks = {"mmdet": "onedl-mmdetection", "mmcv": "onedl-mmcv", "mmengine": "onedl-mmengine"}
    for package in RECORDED_PACKAGES:
        fork = forks.get(package)
        versions[package] = (fork and _version(fork)) or _version(package)
    return versions


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def content_digest(path: Path) -> str:
    """The SHA-256 of a file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return sha256(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _joint_digest(files: Sequence[Path]) -> str:
    """The content of a file; of several their names with their contents."""
    if len(files) == 1:
        return content_digest(files[0])
    named = [[file.name, content_digest(file)] for file in files]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()
