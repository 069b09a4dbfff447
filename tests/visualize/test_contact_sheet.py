import numpy as np
import pytest

from vis_pipeline.visualize.contact_sheet import contact_sheet, montage, sheet_columns, spread, tile_size


@pytest.mark.parametrize("length", [1, 2, 11, 12, 13, 24, 48, 1000])
def test_spread_runs_evenly_from_first_to_last(length):
    picks = spread(length)
    assert picks[0] == 0 and picks[-1] == length - 1
    assert len(picks) == min(length, 12)
    steps = np.diff(picks)
    assert steps.size == 0 or steps.max() - steps.min() <= 1


def test_a_montage_puts_tiles_row_by_row():
    tiles = [np.full((4, 6, 3), value, np.uint8) for value in (10, 20, 30)]
    grid = montage(tiles, 2)
    assert (grid[:4, :6] == 10).all() and (grid[:4, -6:] == 20).all() and (grid[-4:, :6] == 30).all()
    assert (grid[-4:, -6:] != 30).all()


@pytest.mark.parametrize(("height", "width"), [(192, 320), (640, 360), (360, 360), (1080, 1920)])
@pytest.mark.parametrize("frames", [1, 5, 12])
def test_tiles_fit_the_sheet(height, width, frames):
    columns = sheet_columns(height, width, frames)
    tile = tile_size(height, width, columns)
    assert abs(tile[0] / tile[1] - height / width) < 0.01
    strip = np.zeros((50, 1560, 3), np.uint8)
    sheet = contact_sheet("a name", "12 frames", [np.zeros((*tile, 3), np.uint8)] * frames, columns, strip)
    assert sheet.shape[1] == 1600
    assert sheet.dtype == np.uint8


def test_a_very_long_title_leaves_room_for_the_subtitle():
    tiles = [np.zeros((40, 60, 3), np.uint8)]
    strip = np.zeros((5, 600, 3), np.uint8)
    long = contact_sheet("name " * 60, "24 frames", tiles, 1, strip)
    short = contact_sheet("name", "24 frames", tiles, 1, strip)
    np.testing.assert_array_equal(long[:50, 560:], short[:50, 560:])


@pytest.mark.parametrize("size", [(1, 1), (4, 3000), (3000, 4), (1, 20000), (20000, 1)])
@pytest.mark.parametrize("frames", [1, 5, 12])
def test_a_sheet_of_any_frames_can_be_opened(size, frames):
    columns = sheet_columns(*size, frames)
    tile = tile_size(*size, columns)
    assert min(tile) >= 1
    strip = np.zeros((50, 1560, 3), np.uint8)
    sheet = contact_sheet("a name", "12 frames", [np.zeros((*tile, 3), np.uint8)] * frames, columns, strip)
    assert sheet.shape[1] == 1600 and sheet.shape[0] < 3500
