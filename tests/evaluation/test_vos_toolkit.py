"""Ours against vos-benchmark, which gives davis2017-evaluation's figures, on the same files.

To run these: `pip install vos-benchmark`, in an environment of its own (it brings opencv-python and scikit-image); they
hold with 0.1.0.
"""

import types
from pathlib import Path

import numpy as np
import pytest
from test_youtube_vos_scores import OBJECTS, maps, write

from evaluation.davis import Form
from evaluation.davis_folders import folder_scores as davis_folder_scores
from evaluation.youtube_vos import video_measures


def vos_benchmark(module: str) -> types.ModuleType:
    pytest.importorskip("vos_benchmark", reason="vos-benchmark is not installed (pip install vos-benchmark)")
    return pytest.importorskip(f"vos_benchmark.{module}", reason="vos-benchmark cannot be imported")


@pytest.mark.parametrize(("form", "numbers"), [(Form.SEMI_SUPERVISED, (1, 2, 3)), (Form.SINGLE_OBJECT, (1,))])
def test_davis_figures_are_the_librarys(form: Form, numbers: tuple[int, ...], tmp_path: Path) -> None:
    benchmark = vos_benchmark("benchmark").benchmark
    for seed, video in enumerate(("bear", "swing")):
        write(tmp_path / "truth" / video, maps(seed, numbers))
        write(tmp_path / "results" / video, maps(50 + seed, numbers))
    given = [str(tmp_path / "truth")], [str(tmp_path / "results")]
    _, (region,), (contour,), (objects,) = benchmark(*given, num_processes=1, verbose=False)
    ours, left_out = davis_folder_scores(tmp_path / "results", tmp_path / "truth", ["bear", "swing"], form)
    assert not left_out
    assert (100 * ours.J.mean, 100 * ours.F.mean) == pytest.approx((region, contour), abs=1e-9)
    for sequence in ours.sequences:
        for entry in sequence.objects:
            theirs = [measure[entry.label] for measure in objects[sequence.name]]
            assert [100 * entry.J.mean, 100 * entry.F.mean] == pytest.approx(theirs, abs=1e-9)


def test_measures_of_an_object_that_begins_late_are_the_librarys() -> None:
    evaluator_of = vos_benchmark("evaluator").Evaluator
    for seed, (video, objects) in enumerate(OBJECTS.items()):
        true, predicted = (list(maps(base + seed, tuple(objects)).values()) for base in (0, 100))
        spans = {number: range(2, 5) for number in objects}
        frames = zip(range(5), predicted, true, strict=True)
        ours = {entry.number: entry for entry in video_measures(frames, spans, dict.fromkeys(objects, video))}
        evaluator = evaluator_of()
        # It counts an object from where it first shows: let that be the first frame that counts.
        evaluator.objects_in_gt.update(objects)
        for index in range(2, 5):
            evaluator.feed_frame(predicted[index], true[index])
        region, contour = evaluator.conclude()
        for number in objects:
            found = 100 * ours[number].J, 100 * ours[number].F
            assert found == pytest.approx((region[number], contour[number]), abs=1e-9)
            assert ours[number].frames == 3 and not np.isnan(found).any()
