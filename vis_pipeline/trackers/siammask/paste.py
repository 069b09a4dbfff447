"""Pasting small masks back into the image, as the official release does it.

On the CPU OpenCV warps, one mask after another; on any other device the same values come from batched gathers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.trackers.siammask.gathers import OUTSIDE, gathered_paste


@dataclass(frozen=True)
class SmallMasks:
    """Masks of N targets as the network gives them, before they are pasted into the frame.

    Attributes:
        probabilities: float32 [N, S, S].
        squares: float64 [N, 3], the left, top and side in image pixels of the square that each covers.
    """

    probabilities: Tensor
    squares: Tensor

    @classmethod
    def concatenate(cls, parts: Sequence["SmallMasks"]) -> "SmallMasks":
        """All of one or more, one after another."""
        return cls(torch.cat([part.probabilities for part in parts]), torch.cat([part.squares for part in parts]))

    def warped(self, indices: Tensor, frame: tuple[int, int]) -> Tensor:
        """Probabilities over a frame of this height and width, float32 [K, H, W], of the targets at `indices` [K].

        What a prediction's masks are where it is above the threshold; -1 beyond a target's square.
        """
        return warp(self.probabilities[indices], self.squares[indices], frame)


def paste(masks: Tensor, squares: Tensor, frame: tuple[int, int], threshold: float) -> Tensor:
    """Warp N mask probabilities over the image, bilinearly, and threshold them: bool [N, H, W].

    The release maps the *last pixels* of image and scaled image onto each other, whence a factor of
    (length - 1) / (length * scale) on each axis.

    Args:
        masks: float32 [N, S, S] in 0..1.
        squares: float64 [N, 3], the left, top and side in image pixels of the square that each mask covers.
        frame: height and width of the image, H and W.
        threshold: a pixel is the target's above it.
    """
    factors, shifts = _matrices(masks, squares, frame)
    if masks.device.type != "cpu":
        return gathered_paste(masks, factors, shifts, frame) > threshold
    # One at a time: what is warped takes four times the room of what is kept.
    pasted = np.empty((len(masks), *frame), dtype=np.bool_)
    for warped, into in zip(_warped_each(masks, factors, shifts, frame), pasted, strict=True):
        np.greater(warped, np.float32(threshold), out=into)
    return torch.from_numpy(pasted)


def warp(masks: Tensor, squares: Tensor, frame: tuple[int, int]) -> Tensor:
    """What :func:`paste` compares with its threshold: float32 [N, H, W], -1 outside the squares."""
    factors, shifts = _matrices(masks, squares, frame)
    if masks.device.type != "cpu":
        return gathered_paste(masks, factors, shifts, frame)
    warped = np.empty((len(masks), *frame), dtype=np.float32)
    for one, into in zip(_warped_each(masks, factors, shifts, frame), warped, strict=True):
        into[:] = one
    return torch.from_numpy(warped)


def _matrices(masks: Tensor, squares: Tensor, frame: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Diagonals and last columns of the matrices that take mask to image pixels, float64 [N, 2] each."""
    scales = masks.shape[-1] / squares[:, 2]
    # Filled in on the device, so that nothing is copied to it.
    lengths = torch.stack([squares.new_full((), frame[axis]) for axis in (1, 0)])
    factors = (lengths - 1) / (lengths * scales[:, None])
    return factors, -factors * (-squares[:, :2] * scales[:, None])


def _warped_each(
    masks: Tensor, factors: Tensor, shifts: Tensor, frame: tuple[int, int]
) -> Iterator[NDArray[np.float32]]:
    for mask, factor, shift in zip(masks, factors.tolist(), shifts.tolist(), strict=True):
        matrix = np.array([[factor[0], 0, shift[0]], [0, factor[1], shift[1]]])
        yield cv2.warpAffine(  # type: ignore[misc]
            np.ascontiguousarray(mask.numpy()),
            matrix,
            (frame[1], frame[0]),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(OUTSIDE,),
        )
