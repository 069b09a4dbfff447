import io
import warnings
from dataclasses import replace

import cv2
import numpy as np
import pytest
from rich.console import Console

from evaluation.explain.analysis import Confusion, explain
from evaluation.explain.plot import draw
from evaluation.explain.tables import confused_pairs, explanation_tables
from vis_pipeline.errors import DataError
from vis_pipeline.masks import encode
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult


def mask(x):
    pixels = np.zeros((1, 10, 60), dtype=bool)
    pixels[0, :, x : x + 10] = True
    return encode(pixels)[0]


def case(classes, wrong):
    """One video a class with an object of that class, found; the first `wrong` are given the next class instead."""
    categories = tuple(Category(i, f"class [{i}] of a rather long name") for i in range(classes))
    videos = tuple(Video(i, 60, 10, 1, (f"video{i}/0.jpg",)) for i in range(classes))
    annotations = tuple(Annotation(i, i, i, (mask(0),), None, False) for i in range(classes))
    results = [
        TrackResult(i, (i + 1) % classes if i < wrong else i, 0.5 + i / 1000, (mask(0),)) for i in range(classes)
    ]
    return results, Split(videos, categories, annotations)


def printed(explanation):
    console = Console(file=io.StringIO(), width=160)
    for table in explanation_tables(explanation):
        console.print(table)
    return console.file.getvalue()


def test_tables_name_costs_videos_and_confusions():
    text = printed(explain(*case(4, 1)))
    row = next(line for line in text.splitlines() if "wrong class" in line)
    # Class 0 is missed, class 1 has the wrong one below the right one's score: only class 0 gains.
    assert [cell.strip() for cell in row.split("│")][1:5] == ["wrong class", "1", "+0.250", "+0.250"]
    assert "video0: track 1 (class [1] of a rather long name)" in text
    assert [line for line in text.splitlines() if "video0" in line and "0.000" in line and "1 wrong class" in line]
    assert "100%" in text


def test_perfect_results_have_one_table():
    text = printed(explain(*case(2, 0)))
    assert "Worst videos" not in text
    assert "Classes taken" not in text
    assert "false positive" in text


def test_a_negative_cost_is_explained():
    results, split = case(1, 0)
    half = np.zeros((1, 10, 60), dtype=bool)
    half[0, :, :6] = True
    results.append(TrackResult(0, 0, 0.9, (encode(half)[0],)))
    text = printed(explain(results, split))
    assert "-0.350" in text
    assert "a duplicate's better mask" in text


def test_confused_pairs_are_the_most_frequent_ones_between_classes():
    confusion = Confusion(("a", "b", "c"), ((6, 2, 0, 9), (1, 0, 3, 0), (0, 0, 5, 0), (7, 0, 0, 0)))
    assert confused_pairs(confusion) == [("b", "c", 3, 0.75), ("a", "b", 2, 0.25), ("b", "a", 1, 0.25)]


@pytest.mark.parametrize(("classes", "wrong"), [(1, 0), (3, 1), (40, 30)])
def test_the_picture_is_a_png_and_nothing_in_it_goes_wrong(tmp_path, classes, wrong):
    explanation = explain(*case(classes, wrong))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw(explanation, tmp_path / "errors.png")
    assert (tmp_path / "errors.png").read_bytes().startswith(b"\x89PNG")
    assert cv2.imread(str(tmp_path / "errors.png")).shape == (1000, 1700, 3)


def test_dollars_in_names_are_no_formulas(tmp_path):
    results, split = case(2, 1)
    videos = tuple(replace(video, file_names=("$x_{$/0.jpg",)) for video in split.videos)
    categories = tuple(replace(category, name=f"$\\frac${category.id}") for category in split.categories)
    draw(explain(results, replace(split, videos=videos, categories=categories)), tmp_path / "errors.png")
    assert (tmp_path / "errors.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_shows_what_is_explained(tmp_path):
    for wrong in (0, 2):
        draw(explain(*case(3, wrong)), tmp_path / f"{wrong}.png")
    assert (tmp_path / "0.png").read_bytes() != (tmp_path / "2.png").read_bytes()


def test_a_picture_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(DataError, match=r"absent/errors\.png: cannot be written \(No such file"):
        draw(explain(*case(1, 0)), tmp_path / "absent" / "errors.png")
