"""OpenCV's bilinear resize and affine warp, to the last bit, as batched gathers on any device.

OpenCV's fixed point is part of the official numbers: a floating-point crop with rounding drifts by tens of pixels
within a dozen frames.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

OUTSIDE = -1.0
WEIGHT_ONE = 2048
UNIT_BITS = 10
FRACTION_BITS = 5


def gathered_crops(image: Tensor, corners: Tensor, sides: Tensor, padding: Tensor, size: int) -> Tensor:
    """Squares of an image resized as `cv2.resize` does it, uint8 [N, size, size, 3].

    Args:
        image: uint8 [H, W, 3].
        corners: int64 [N, 2], x, y of the squares' top-left pixels.
        sides: int64 [N], in image pixels.
        padding: uint8 [N, 3], the colour of what lies outside the image.
        size: side of the crops.
    """
    columns = _columns(sides, size)
    upper, lower = _rows(sides, size)
    pixels = _PackedImage(image, padding)
    blended = _weighted_row(pixels, upper, columns, corners)
    blended += _weighted_row(pixels, lower, columns, corners)
    return blended.add_(2).bitwise_right_shift_(2)[..., :3].to(torch.uint8)


def gathered_paste(masks: Tensor, factors: Tensor, shifts: Tensor, frame: tuple[int, int]) -> Tensor:
    """Masks warped as `cv2.warpAffine` does it, float32 [N, H, W], with border value -1.

    Args:
        masks: float32 [N, S, S].
        factors: float64 [N, 2], the diagonal (x, y) of the matrix that takes mask to image pixels.
        shifts: float64 [N, 2], its last column.
        frame: height and width of the image, H and W.
    """
    side = masks.shape[-1]
    height = frame[0]
    (columns, column_fraction), (rows, row_fraction) = _warp_positions(factors, shifts, frame)
    # Two border pixels stand for everything outside: of a pair of neighbours at the edge only one may be inside.
    padded = F.pad(masks, (2, 2, 2, 2), value=OUTSIDE)
    columns = columns.clamp(-2, side) + 2
    rows = rows.clamp(-2, side) + 2
    upper = padded.gather(1, rows[:, :, None].expand(-1, -1, side + 4))
    lower = padded.gather(1, (rows + 1)[:, :, None].expand(-1, -1, side + 4))
    left = columns[:, None, :].expand(-1, height, -1)
    right = left + 1
    x, y = column_fraction[:, None, :], row_fraction[:, :, None]
    pasted = upper.gather(2, left) * ((1 - y) * (1 - x))
    pasted += upper.gather(2, right) * ((1 - y) * x)
    pasted += lower.gather(2, left) * (y * (1 - x))
    pasted += lower.gather(2, right) * (y * x)
    return pasted


def _warp_positions(
    factors: Tensor, shifts: Tensor, frame: tuple[int, int]
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Where image columns and rows fall on the masks: whole int64 and fraction float32, [N, W] and [N, H].

    OpenCV inverts the 2x3 matrix by its determinant, rounds to 1/1024 and then to 1/32; its order of operations is
    kept.
    """
    height, width = frame
    inverses = factors.flip(1) * (1 / (factors[:, :1] * factors[:, 1:]))
    starts = -inverses * shifts
    # Step and start are rounded separately along a row, but their sum from row to row.
    columns = _units(inverses[:, :1] * _pixels(width, factors)) + _units(starts[:, :1])
    rows = _units(inverses[:, 1:] * _pixels(height, factors) + starts[:, 1:])
    return _split(columns), _split(rows)


def _pixels(length: int, like: Tensor) -> Tensor:
    return torch.arange(length, device=like.device, dtype=torch.float64)


def _units(positions: Tensor) -> Tensor:
    return torch.round(positions * (1 << UNIT_BITS)).long()


def _split(units: Tensor) -> tuple[Tensor, Tensor]:
    """Whole part int64 and fraction float32, rounded to 1/32, of positions in 1/1024."""
    drop = UNIT_BITS - FRACTION_BITS
    fixed = (units + (1 << drop >> 1)) >> drop
    return fixed >> FRACTION_BITS, (fixed & ((1 << FRACTION_BITS) - 1)).float() / (1 << FRACTION_BITS)


@dataclass(frozen=True)
class _Taps:
    """One of the two neighbours of every output pixel on one axis: offset in the square and weight, int [N, size]."""

    offsets: Tensor
    weights: Tensor


class _PackedImage:
    """An image with one int32 per pixel, so that a pixel is one gather."""

    def __init__(self, image: Tensor, padding: Tensor) -> None:
        self.height, self.width = image.shape[:2]
        self.pixels = _pack(image).flatten()
        self.padding = _pack(padding)[:, None, None]

    def gather(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Bytes, uint8 [N, R, C, 4], of rows int64 [N, R] and columns int64 [N, C]; outside, the padding colour."""
        rows, columns = rows[:, :, None], columns[:, None, :]
        inside = ((rows >= 0) & (rows < self.height)) & ((columns >= 0) & (columns < self.width))
        index = rows.clamp(0, self.height - 1) * self.width + columns.clamp(0, self.width - 1)
        found = torch.where(inside, self.pixels.take(index), self.padding)
        return found.view(torch.uint8).view(*found.shape, 4)


def _pack(colours: Tensor) -> Tensor:
    """uint8 [..., 3] as int32 [...], the fourth byte 0."""
    return F.pad(colours, (0, 1)).view(torch.int32).squeeze(-1)


def _weighted_row(pixels: _PackedImage, rows: _Taps, columns: tuple[_Taps, _Taps], corners: Tensor) -> Tensor:
    """What one of two neighbouring rows gives, int32 [N, size, size, 4] in quarters of a grey level.

    OpenCV keeps 11 bits of weight along the row, drops 4 of the sum's bits, and 16 after the second weight.
    """
    blended = torch.zeros((), dtype=torch.int32, device=corners.device)
    for taps in columns:
        found = pixels.gather(rows.offsets + corners[:, 1:], taps.offsets + corners[:, :1])
        blended = found * taps.weights[:, None, :, None] + blended
    return blended.bitwise_right_shift_(4).mul_(rows.weights[:, :, None, None]).bitwise_right_shift_(16)


def _columns(sides: Tensor, size: int) -> tuple[_Taps, _Taps]:
    """Left and right neighbours; beyond the first and last column one of them has all the weight."""
    last = sides[:, None] - 1
    whole, fraction = _resize_positions(sides, size)
    fraction = torch.where((whole < 0) | (whole >= last), 0, fraction)
    left = torch.minimum(whole.clamp_min(0), last)
    return _taps(left, torch.minimum(left + 1, last), fraction)


def _rows(sides: Tensor, size: int) -> tuple[_Taps, _Taps]:
    """Upper and lower neighbours; beyond the first and last row that row is both, and the weights stay."""
    last = sides[:, None] - 1
    whole, fraction = _resize_positions(sides, size)
    upper = torch.minimum(whole.clamp_min(0), last)
    return _taps(upper, torch.minimum((whole + 1).clamp_min(0), last), fraction)


def _resize_positions(sides: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Whole part int64 and fraction float32 [N, size] of where each output pixel's centre falls in the source."""
    scale = 1.0 / (size / sides.double())
    centres = torch.arange(size, device=sides.device, dtype=torch.float64) + 0.5
    positions = (centres * scale[:, None] - 0.5).float()
    whole = torch.floor(positions)
    return whole.long(), positions - whole


def _taps(first: Tensor, second: Tensor, fraction: Tensor) -> tuple[_Taps, _Taps]:
    return (
        _Taps(first, torch.round((1 - fraction) * WEIGHT_ONE).int()),
        _Taps(second, torch.round(fraction * WEIGHT_ONE).int()),
    )
