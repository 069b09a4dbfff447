"""`bench pairs` on a tiny split, and its picture."""

import cv2
import numpy as np
import pytest
import torch
from tracker_scenes import write_split
from typer.testing import CliRunner

from vis_pipeline.cli.app import app
from vis_pipeline.errors import ConfigError
from vis_pipeline.training.tracker.crops import PairBatch
from vis_pipeline.visualize.pair_sheet import pair_sheet


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    split, frames = write_split(folder)
    path = folder / "tiny.py"
    sources = [{"split": str(split), "frames": str(frames)}]
    path.write_text(f"architecture = 'small'\nsources = {sources}\nschedule = dict(steps=1, batch=4)\n")
    return str(path)


def test_both_ways_to_cut_are_timed_and_pairs_are_drawn(config, tmp_path):
    sheet = tmp_path / "pairs.png"
    command = ["bench", "pairs", config, "--device", "cpu", "--batches", "6", "--sheet", str(sheet)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    rows = [line.split("│")[1:4] for line in result.output.splitlines() if "│" in line]
    assert [row[0].strip() for row in rows] == ["OpenCV", "gathered on cpu"]
    assert all(int(figure.strip().replace(",", "")) > 0 for row in rows for figure in row[1:])
    assert "pairs a second" in result.output
    assert cv2.imread(str(sheet)).shape[1] > 3 * (127 + 255)


def test_a_folder_for_the_picture_must_be_there(config, tmp_path):
    result = CliRunner().invoke(app, ["bench", "pairs", config, "--sheet", str(tmp_path / "nowhere/pairs.png")])
    assert isinstance(result.exception, ConfigError)
    assert "there is no folder" in str(result.exception)


def test_a_sheet_shows_target_box_and_kind_of_a_pair():
    searches = torch.zeros((2, 3, 255, 255), dtype=torch.uint8)
    search_masks = torch.zeros((2, 319, 319), dtype=torch.bool)
    search_masks[:, 32 + 100 : 32 + 150, 32 + 60 : 32 + 120] = True
    small = torch.zeros((2, 3, 127, 127), dtype=torch.uint8)
    second_masks = torch.zeros((2, 127, 127), dtype=torch.bool)
    boxes = torch.tensor([[90.0, 125.0, 60.0, 50.0]] * 2)
    batch = PairBatch(small, searches, small, search_masks, second_masks, boxes, torch.tensor([True, False]))
    sheet = pair_sheet(batch, columns=1)
    tiles = sheet[: len(sheet) // 2], sheet[-(len(sheet) // 2) + 4 :]
    positive, negative = (tile[0, 100].astype(int) for tile in tiles)
    assert positive[1] > positive[2] and negative[2] > negative[1]
    search = tiles[0][3 : 3 + 255, 3 + 127 : 3 + 127 + 255]
    assert search[125, 90, 1] > 0 and not search[50, 90].any()
    assert np.ptp(np.flatnonzero(search[:, :, 2].max(0) > 150)) == pytest.approx(60, abs=1)
