"""A tracker that speaks TraX, the wire of VOT's toolkit (Cehovin, "TraX: The visual Tracking eXchange protocol", 2017).

One object. What it starts from and what it answers are those of :mod:`~vis_pipeline.protocols.vot.regions`; of a mask
TraX's own library makes a box before it comes here.
"""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vis_pipeline.bridges.extras import extra
from vis_pipeline.errors import DataError, UserError
from vis_pipeline.files.images import read_image
from vis_pipeline.protocols.benchmark import Trackers
from vis_pipeline.protocols.vot.regions import Region, region_of, upright_box
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.single_object import ObjectInFrame

# The toolkit waits so long for an answer; by default 30 s, less than a busy machine may take to start.
_PATIENCE = 300


def require_trax() -> None:
    """Raise ConfigError if the package that speaks TraX is not installed."""
    extra("trax.server", "vot")


def serve(trackers: Trackers) -> None:
    """Answer a client on standard input and output, or on the port in the environment's TRAX_SOCKET, until it leaves.

    Raises:
        ConfigError: PyPI's vot-trax is not installed.
        DataError: the client breaks off, or asks what cannot be done; it is told why.
    """
    trax, formats, images = extra("trax.server", "vot"), extra("trax.region", "vot"), extra("trax.image", "vot")
    exchange = extra("trax", "vot")
    regions = formats.Region
    try:
        server = trax.Server(
            [regions.RECTANGLE, regions.POLYGON], [images.Image.PATH], [images.ImageChannel.COLOR], "vis_pipeline"
        )
        try:
            _answer(server, trackers, exchange.TraxStatus, formats)
        except UserError as error:
            server.quit(str(error))
            raise
        server.quit()
    except exchange.TraxException as error:
        raise DataError(f"TraX: {error}") from error


def registry_entry(name: str, command: Sequence[str]) -> str:
    """A tracker in the form of the toolkit's `trackers.ini`.

    Raises:
        DataError: the toolkit does not take the name.
    """
    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise DataError(f"tracker {name!r}: VOT's toolkit takes names of letters, digits, - and _")
    # A percent sign is special in such files.
    line = shlex.join(command).replace("%", "%%")
    return f"[{name}]\nlabel = {name}\nprotocol = trax\ncommand = {line}\ntimeout = {_PATIENCE}\n"


def _answer(server: Any, trackers: Trackers, status: Any, formats: Any) -> None:
    following: Iterator[ObjectInFrame] | None = None
    frames = _OneByOne()
    while (request := server.wait()).type != status.QUIT:
        if request.type == status.INITIALIZE:
            if len(request.objects) != 1:
                raise DataError(f"TraX: {len(request.objects)} objects; this tracker follows one")
            frames = _OneByOne()
            following = trackers.follow(frames, upright_box(_numbers(request.objects[0][0], formats)))
        elif following is None:
            raise DataError("TraX: a frame before the first object")
        frames.give(Path(request.image["color"].path()))
        region = region_of(next(following), trackers.boxes)
        server.status([(_sent(region, formats), {})])


class _OneByOne:
    """Frames as they are given, one at a time, for a tracker that takes each when it is asked about it."""

    def __init__(self) -> None:
        self._count = 0
        self._waiting: list[Frame] = []

    def give(self, path: Path) -> None:
        """Read the next one.

        Raises:
            DataError: it cannot be read.
        """
        self._waiting.append(Frame(0, self._count, path.name, read_image(path)))
        self._count += 1

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        return self._waiting.pop()


def _numbers(region: Any, formats: Any) -> Region:
    if region.type == formats.Region.RECTANGLE:
        return np.array(region.bounds(), dtype=np.float64)
    corners = np.array(list(region), dtype=np.float64)
    if len(corners) != 4:
        raise DataError(
            f"TraX: a polygon of {len(corners)} corners; this tracker starts from rectangles, turned or not"
        )
    return corners.ravel()


def _sent(region: Region, formats: Any) -> Any:
    if len(region) == 4:
        return formats.Rectangle.create(*region.tolist())
    return formats.Polygon.create([(x, y) for x, y in region.reshape(4, 2).tolist()])
