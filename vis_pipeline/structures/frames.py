"""Frames of one video, as they go from whoever reads them to detector and tracker."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Frame:
    """One decoded frame.

    Attributes:
        video_id: id of the video in its split.
        index: position in the video, from 0.
        name: file name, or the index as text for a video file.
        image: uint8 [H, W, 3], BGR.
        time: when it is shown, in seconds, as a video file, a live source or a split says; None where nobody says.
    """

    video_id: int
    index: int
    name: str
    image: NDArray[np.uint8]
    time: float | None = None
    _uploaded: "dict[torch.device, torch.Tensor]" = field(default_factory=dict, init=False, repr=False, compare=False)

    def on(self, device: "torch.device") -> "torch.Tensor":
        """The image on a device, uint8 [H, W, 3]: carried there once, whoever asks."""
        from vis_pipeline.structures.uploads import uploaded  # for which torch is imported

        if device not in self._uploaded:
            self._uploaded[device] = uploaded(self.image, device)
        return self._uploaded[device]


@dataclass(frozen=True)
class BadFrame:
    """A frame that is missing, damaged or of another size; `reason` is one line for the run's log."""

    video_id: int
    index: int
    name: str
    reason: str
    time: float | None = None


@dataclass(frozen=True)
class Remark:
    """Something about the whole video that its user should know; no frame. `text` is one line for the run's log."""

    video_id: int
    text: str


Footage: TypeAlias = Frame | BadFrame | Remark
"""What iterating over the frames of a video gives."""


class FrameSource(Protocol):
    """The frames of one video in order.

    Attributes:
        video_id: id of the video in its split.
        name: what to call the video in messages and file names.
        length: number of frames, or None for a video file, which only decoding counts.
    """

    @property
    def video_id(self) -> int: ...  # noqa: D102

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def length(self) -> int | None: ...  # noqa: D102

    def __iter__(self) -> Iterator[Footage]: ...


class ReadsAhead:
    """A base for sources that read ahead by themselves: nobody is to do it for them."""
