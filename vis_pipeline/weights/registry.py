"""Weights by name: the ones in the package, and the published ones that `vis-pipeline weights fetch` gets."""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from vis_pipeline.errors import WeightsError

BUNDLED_PREFIX = "bundled:"
CACHE_VARIABLE = "VIS_PIPELINE_CACHE"
PRESET_OPTION = "--preset"

_SIAMMASK_RELEASE = "http://www.robots.ox.ac.uk/~qwang/"
_HTC_ZOO = "https://download.openmmlab.com/mmdetection/v2.0/htc/"


@dataclass(frozen=True)
class BundledWeights:
    """Weights that this project trained and that are installed with it, as `NAME.safetensors` and a card `NAME.md`.

    `limits` says what they should not be expected to do.
    """

    name: str
    note: str
    limits: str

    @property
    def reference(self) -> str:
        """How a config or an option names these weights."""
        return BUNDLED_PREFIX + self.name

    @property
    def path(self) -> Path:
        """Where the installed package keeps the file, whether it is there or not."""
        return Path(__file__).parent / f"{self.name}.safetensors"


@dataclass(frozen=True)
class PublishedWeights:
    """A checkpoint that somebody else published.

    `sha256_prefix` is the start of the file's SHA-256 in hexadecimal, or None where the publisher states none.
    `config` is the mmdet config or the `--preset` that the checkpoint belongs to.
    """

    name: str
    url: str
    sha256_prefix: str | None
    config: str
    note: str

    @property
    def file_name(self) -> str:
        """The last part of the URL."""
        return PurePosixPath(urlsplit(self.url).path).name

    def path(self, cache: Path) -> Path:
        """Where the file is kept below `cache` once it is fetched."""
        return cache / self.file_name


def _htc(name: str, published_as: str, stamp: str, note: str) -> PublishedWeights:
    # OpenMMLab ends its file names with the first eight hexadecimal digits of the file's SHA-256.
    return PublishedWeights(
        name=name,
        url=f"{_HTC_ZOO}{published_as}/{published_as}_{stamp}.pth",
        sha256_prefix=stamp.rpartition("-")[2],
        config=f"mmdet::htc/{name}.py",
        note=note,
    )


def _siammask(name: str, preset: str, note: str) -> PublishedWeights:
    return PublishedWeights(
        name=name,
        url=f"{_SIAMMASK_RELEASE}{name}.pth",
        sha256_prefix=None,
        config=f"{PRESET_OPTION} {preset}",
        note=note,
    )


BUNDLED = {
    weights.name: weights
    for weights in (
        BundledWeights(
            "htc_small",
            "HTC, small enough for two CPU cores; trained on drawn and composed videos",
            "it knows eight drawn shapes well, photographed objects poorly; real video needs published or own weights",
        ),
        BundledWeights(
            "htc_lite_real",
            "HTC on EfficientNet-Lite0: people, animals, vehicles and things in ordinary pictures, on CPU cores",
            "it misses small and half hidden people and most things; its masks lose thin parts",
        ),
        BundledWeights(
            "siammask_small",
            "small SiamMask, two stages; trained on drawn, composed and real videos",
            "its masks of real objects are coarse",
        ),
        BundledWeights(
            "siammask_lite0",
            "SiamMask on EfficientNet-Lite0, two stages; trained on real video, photographs and composed videos",
            "its masks lose thin parts, and after a long occlusion it may go on with something else",
        ),
        BundledWeights(
            "redetector_small",
            "Siam R-CNN's re-detection head for htc_small; trained on drawn videos",
            "of two objects of a class that differ in shade alone it can hardly tell one from the other",
        ),
        BundledWeights(
            "redetector_lite_real",
            "Siam R-CNN's re-detection head for htc_lite_real; trained on real and composed videos",
            "it learned from few real objects; lookalikes of a class confuse it",
        ),
    )
}

PUBLISHED = {
    weights.name: weights
    for weights in (
        _siammask("SiamMask_DAVIS", "davis", "ResNet-50, refinement; DAVIS-2016 J 71.3"),
        _siammask("SiamMask_VOT", "vot", "ResNet-50, refinement; VOT-2018 EAO 0.380"),
        _siammask("SiamMask_VOT_LD", "vot18", "ResNet-50, refinement, larger training set; VOT-2018 EAO 0.423"),
        _htc("htc_r50_fpn_1x_coco", "htc_r50_fpn_1x_coco", "20200317-7332cf16", "COCO mask AP 37.4"),
        _htc("htc_r50_fpn_20e_coco", "htc_r50_fpn_20e_coco", "20200319-fe28c577", "COCO mask AP 38.3"),
        _htc("htc_r101_fpn_20e_coco", "htc_r101_fpn_20e_coco", "20200317-9b41b48f", "COCO mask AP 39.6"),
        _htc(
            "htc_x101-32x4d_fpn_16xb1-20e_coco",
            "htc_x101_32x4d_fpn_16x1_20e_coco",
            "20200318-de97ae01",
            "COCO mask AP 40.5",
        ),
        _htc(
            "htc_x101-64x4d_fpn_16xb1-20e_coco",
            "htc_x101_64x4d_fpn_16x1_20e_coco",
            "20200318-b181fd7a",
            "COCO mask AP 41.4",
        ),
        _htc(
            "htc_x101-64x4d-dconv-c3-c5_fpn_ms-400-1400-16xb1-20e_coco",
            "htc_x101_64x4d_fpn_dconv_c3-c5_mstrain_400_1400_16x1_20e_coco",
            "20200312-946fd751",
            "COCO mask AP 43.8",
        ),
    )
}


def cache_folder() -> Path:
    """Where fetched weights are kept: `$VIS_PIPELINE_CACHE`, else `vis_pipeline/weights` in the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vis_pipeline" / "weights"


def resolve(reference: str) -> Path:
    """Turn a reference to weights into the path of a file that exists.

    `bundled:NAME` is a file of the installed package, a name of `PUBLISHED` the fetched file, anything else a path.

    Raises:
        WeightsError: the name is unknown, the weights are not fetched, or there is no such file.
    """
    if reference.startswith(BUNDLED_PREFIX):
        return _bundled(reference)
    if reference in PUBLISHED:
        fetched = PUBLISHED[reference].path(cache_folder())
        if not fetched.is_file():
            raise WeightsError(f"weights {reference}: not fetched yet; run `vis-pipeline weights fetch {reference}`")
        return fetched
    path = Path(reference).expanduser()
    if not path.is_file():
        raise WeightsError(f"weights {reference}: no such file, and not a name that `vis-pipeline weights list` knows")
    return path


def _bundled(reference: str) -> Path:
    name = reference.removeprefix(BUNDLED_PREFIX)
    if name not in BUNDLED:
        raise WeightsError(f"weights {reference}: no such bundled weights; there are {', '.join(sorted(BUNDLED))}")
    path = BUNDLED[name].path
    if not path.is_file():
        raise WeightsError(f"weights {reference}: {path} is missing; install vis-pipeline again")
    return path
