import json
import math
from pathlib import Path

import davis_oracle
import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from evaluation import davis
from evaluation.davis import Form, LabelledSequence, davis_scores
from evaluation.davis_folders import folder_scores, folder_sequences, label_map
from vis_pipeline import masks
from vis_pipeline.cli import davis as command
from vis_pipeline.cli.app import main
from vis_pipeline.data.sequence_names import sequence_names
from vis_pipeline.errors import DataError
from vis_pipeline.structures.tracks import TrackResult

SHARED = Path(__file__).resolve().parents[2].parent / "shared/data/davis2016_train"


def mask(*rows: str) -> np.ndarray:
    return np.array([[character == "#" for character in row] for row in rows])


def dots(*pixels: tuple[int, int], shape: tuple[int, int] = (40, 30)) -> np.ndarray:
    """A mask of single pixels (row, column); 40 x 30 has the diagonal 50, so the radius ceil(0.4) = 1."""
    image = np.zeros(shape, dtype=bool)
    image[tuple(np.array(pixels).T)] = True
    return image


def scene(seed: int, shape: tuple[int, int]) -> np.ndarray:
    """Rectangles, some of them cut out again; often at the image's edge, sometimes nothing or everything."""
    generator = np.random.default_rng(seed)
    image = np.zeros(shape, dtype=bool)
    for _ in range(generator.integers(0, 4)):
        top, left = (generator.integers(0, side) for side in shape)
        image[top : top + generator.integers(1, shape[0] + 1), left : left + generator.integers(1, shape[1] + 1)] ^= (
            True
        )
    return image


# --- the measures, by hand


def test_region_similarity_by_hand() -> None:
    truth = mask("##..", "##..")
    prediction = mask(".##.", ".##.")
    # 2 common pixels of 6; without the last row 1 of 3; without the three columns of both nothing is left.
    assert davis.region_similarity(prediction, truth) == pytest.approx(2 / 6)
    assert davis.region_similarity(prediction, truth, mask("....", "####")) == pytest.approx(1 / 3)
    assert davis.region_similarity(prediction, truth, mask("###.", "###.")) == 1
    assert davis.region_similarity(prediction, mask("....", "....")) == 0


def test_boundary_by_hand() -> None:
    square = mask(".....", ".##..", ".##..", ".....")
    # (1, 1) has three equal neighbours; to the left of and above the square lie pixels that differ from theirs.
    assert (davis.boundary(square) == mask("###..", "#.#..", "###..", ".....")).all()
    corner = mask("....", "..##", "..##")
    # In the last row only the right neighbour counts, in the last column only that below, in the corner none.
    assert (davis.boundary(corner) == mask(".###", ".#..", ".#..")).all()


@pytest.mark.parametrize(
    ("size", "radius"),
    # Diagonals 50, 500 (exactly 4), 734.3, 979.6 and 2202.9.
    [((40, 30), 1), ((300, 400), 4), ((360, 640), 6), ((480, 854), 8), ((1080, 1920), 18)],
)
def test_boundary_radius(size: tuple[int, int], radius: int) -> None:
    assert davis.boundary_radius(*size) == radius


@pytest.mark.parametrize(
    ("prediction", "f"),
    [
        # The boundary of the pixel (y, x) is the block of rows y-1, y and columns x-1, x; the truth is (10, 10).
        (dots((10, 10)), 1),
        (dots((10, 11)), 1),
        # Two columns on: only the nearer column of each block has the other at distance 1.
        (dots((10, 12)), 0.5),
        (dots((10, 13)), 0),
        # One row and column on: the far corners are sqrt 2 from the nearest pixel.
        (dots((11, 11)), 0.75),
        # A second pixel far off: precision 4/8, recall 1.
        (dots((10, 10), (30, 20)), 2 / 3),
        (np.zeros((40, 30), dtype=bool), 0),
        # A mask of the whole image has no boundary either.
        (np.ones((40, 30), dtype=bool), 0),
    ],
)
def test_contour_accuracy_by_hand(prediction: np.ndarray, f: float) -> None:
    truth = dots((10, 10))
    assert davis.contour_accuracy(prediction, truth) == pytest.approx(f)
    assert davis.contour_accuracy(truth, prediction) == pytest.approx(f)


def test_contour_accuracy_without_boundaries() -> None:
    nothing, everything = np.zeros((40, 30), dtype=bool), np.ones((40, 30), dtype=bool)
    assert davis.contour_accuracy(nothing, nothing) == 1
    assert davis.contour_accuracy(everything, nothing) == 1
    assert davis.region_similarity(everything, nothing) == 0


def test_void_pixels_are_in_neither_mask() -> None:
    prediction, truth, void = dots((10, 10), (30, 20)), dots((10, 10)), dots((30, 20))
    assert davis.contour_accuracy(prediction, truth, void) == 1


def test_masks_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="different shapes"):
        davis.region_similarity(np.zeros((2, 3), dtype=bool), np.zeros((1, 2, 3), dtype=bool))


# --- statistics


def test_statistics_by_hand() -> None:
    # Ends of the quarters of 8 frames: 1, 2.75, 4.5, 6.25, 8 -> 1, 3, 5, 6, 8; first 1 to 3, last 6 to 8.
    found = davis.statistics(np.array([0.9, 0.8, 0.7, 0.5, 0.51, 0.3, 0.2, 0.1]))
    assert found.mean == pytest.approx(4.01 / 8)
    assert found.recall == 4 / 8
    assert found.decay == pytest.approx(0.8 - 0.2)


def test_statistics_leave_nan_out_of_means_and_count_it_as_missed() -> None:
    # Of 4 frames (ends 1, 1.75, 2.5, 3.25, 4 -> 1, 2, 3, 3, 4) the first quarter is 1 and 2, the last 3 and 4.
    found = davis.statistics(np.array([math.nan, 0.8, 0.2, 0.6]))
    assert found.mean == pytest.approx(1.6 / 3)
    assert found.recall == 2 / 4
    assert found.decay == pytest.approx(0.8 - 0.4)
    assert math.isnan(davis.statistics(np.array([math.nan])).decay)


@pytest.mark.parametrize("frames", [*range(1, 30), 46, 80, 256, 257, 300, 1000])
def test_statistics_of_any_length(frames: int) -> None:
    values = np.random.default_rng(frames).random(frames)
    found = davis.statistics(values)
    assert (found.mean, found.recall, found.decay) == pytest.approx(davis_oracle.mean_recall_decay(values.tolist()))


# --- against the literal oracle


@given(
    seeds=st.tuples(*[st.integers(0, 2**32 - 1)] * 3),
    # Radii 1, 1, 1, 2 and 3.
    shape=st.sampled_from([(1, 1), (7, 5), (12, 13), (3, 130), (4, 260)]),
    with_void=st.booleans(),
)
def test_measures_equal_the_literal_ones(seeds: tuple[int, int, int], shape: tuple[int, int], with_void: bool) -> None:
    prediction, truth, void = (scene(seed, shape) for seed in seeds)
    hidden = void if with_void else None
    assert davis.region_similarity(prediction, truth, hidden) == pytest.approx(
        davis_oracle.jaccard(prediction, truth, hidden)
    )
    assert davis.contour_accuracy(prediction, truth, hidden) == pytest.approx(
        davis_oracle.f_measure(prediction, truth, hidden)
    )


def test_stacks_give_one_number_a_mask() -> None:
    predictions = np.stack([scene(seed, (20, 30)) for seed in range(60)]).reshape(3, 20, 20, 30)
    truths = np.stack([scene(seed, (20, 30)) for seed in range(100, 160)]).reshape(3, 20, 20, 30)
    region, contour = davis.region_similarity(predictions, truths), davis.contour_accuracy(predictions, truths)
    assert region.shape == contour.shape == (3, 20)
    for index in np.ndindex(3, 20):
        assert region[index] == pytest.approx(davis_oracle.jaccard(predictions[index], truths[index]))
        assert contour[index] == pytest.approx(davis_oracle.f_measure(predictions[index], truths[index]))


# --- whole sequences


def labelled(name: str, prediction: list[np.ndarray], truth: list[np.ndarray]) -> LabelledSequence:
    return LabelledSequence(name, np.stack(prediction).astype(np.uint8), np.stack(truth).astype(np.uint8))


ONE = np.zeros((40, 30), dtype=np.uint8)
ONE[5:15, 5:15] = 1
TWO = ONE.copy()
TWO[25:35, 15:25] = 2
NONE = np.zeros_like(ONE)


@pytest.mark.parametrize(
    ("form", "wrong", "j"),
    [
        (Form.SINGLE_OBJECT, (0, 4), 1),
        (Form.SEMI_SUPERVISED, (0, 4), 1),
        (Form.UNSUPERVISED, (0, 4), 3 / 5),
        (Form.SINGLE_OBJECT, (1,), 2 / 3),
        (Form.SEMI_SUPERVISED, (3,), 2 / 3),
    ],
)
def test_first_and_last_frame(form: Form, wrong: tuple[int, ...], j: float) -> None:
    prediction = [NONE if frame in wrong else ONE for frame in range(5)]
    scores = davis_scores([labelled("bear", prediction, [ONE] * 5)], form)
    assert scores.J.mean == scores.F.mean == scores.J.recall == scores.J_and_F == pytest.approx(j)
    assert scores.sequences[0].frames == (5 if form is Form.UNSUPERVISED else 3)


def test_the_mean_is_over_objects_not_over_sequences() -> None:
    perfect = labelled("a", [TWO] * 3, [TWO] * 3)
    missed = labelled("b", [NONE] * 3, [ONE] * 3)
    scores = davis_scores([perfect, missed], Form.SEMI_SUPERVISED)
    assert [sequence.J.mean for sequence in scores.sequences] == [1, 0]
    assert scores.J.mean == scores.F.mean == pytest.approx(2 / 3)
    # As one object a sequence, each sequence counts the same.
    assert davis_scores([perfect, missed], Form.SINGLE_OBJECT).J.mean == pytest.approx(1 / 2)


def test_the_single_object_is_the_union_without_void() -> None:
    truth = TWO.copy()
    truth[20:24, 5:9] = 255
    swapped = np.where(truth == 1, 2, truth > 0)
    scores = davis_scores([labelled("a", [swapped] * 3, [truth] * 3)], Form.SINGLE_OBJECT)
    assert scores.J.mean == scores.F.mean == 1
    assert [entry.label for entry in scores.sequences[0].objects] == [1]
    semi_supervised = davis_scores([labelled("a", [np.where(swapped == 1, 1, 0)] * 3, [truth] * 3)], Form("2017"))
    assert semi_supervised.J.mean == 0


def test_the_unsupervised_form_takes_the_best_proposal_of_each_object() -> None:
    proposals = np.select([TWO == 1, TWO == 2], [7, 3], 0)
    proposals[0:3, 20:30] = 5
    (sequence,) = davis_scores([labelled("a", [proposals] * 3, [TWO] * 3)], Form.UNSUPERVISED).sequences
    assert [(entry.label, entry.prediction) for entry in sequence.objects] == [(1, 7), (2, 3)]
    assert sequence.J.mean == sequence.F.mean == 1


def test_proposals_are_chosen_by_both_measures() -> None:
    # Of a square of 100 pixels: 1 is its inside with holes (55 pixels), 2 its rim (36), which has the better contour.
    proposals = ONE * 2
    proposals[6:14, 6:14] = 1
    proposals[8:13:2, 8:13:2] = 0
    one, two = (davis.region_similarity(proposals == label, ONE == 1) for label in (1, 2))
    assert (one, two) == (0.55, 0.36)
    (sequence,) = davis_scores([labelled("a", [proposals] * 3, [ONE] * 3)], Form.UNSUPERVISED).sequences
    assert sequence.objects[0].prediction == 2


def test_objects_that_come_after_the_first_frame_are_not_scored() -> None:
    late = labelled("a", [ONE] * 3, [ONE, TWO, TWO])
    for form in (Form.SEMI_SUPERVISED, Form.UNSUPERVISED):
        (sequence,) = davis_scores([late], form).sequences
        assert ([entry.label for entry in sequence.objects], sequence.J.mean) == ([1], 1)


def test_objects_without_a_proposal_are_scored_against_an_empty_mask() -> None:
    truth = [TWO, TWO, ONE]
    (sequence,) = davis_scores([labelled("a", [ONE] * 3, truth)], Form.UNSUPERVISED).sequences
    assert [(entry.label, entry.prediction) for entry in sequence.objects] == [(1, 1), (2, None)]
    # The second object is gone in the last frame, where nothing is right.
    assert sequence.objects[1].J.mean == sequence.objects[1].F.mean == pytest.approx(1 / 3)


def test_a_number_that_the_first_annotation_skips_is_no_object() -> None:
    truth = np.where(TWO == 2, 3, TWO)
    scores = davis_scores([labelled("a", [np.where(TWO == 1, 1, 0)] * 3, [truth] * 3)], Form.SEMI_SUPERVISED)
    assert [entry.label for entry in scores.sequences[0].objects] == [1, 3]
    assert scores.J.mean == pytest.approx(1 / 2)


def test_assign() -> None:
    # Each object's own best is proposal 0; together 0.8 + 0.7 beats 0.9 + 0.1.
    assert davis.assign(np.array([[0.9, 0.8], [0.7, 0.1], [0.0, 0.0]])).tolist() == [1, 0]
    assert davis.assign(np.array([[0.2, 0.9]])).tolist() == [davis.UNASSIGNED, 0]


@pytest.mark.parametrize(
    ("form", "prediction", "truth", "fault"),
    [
        ("2017", [TWO] * 3, [ONE] * 3, "sequence a: the prediction has label 2, the first annotation only 1"),
        ("2016", [ONE * 255] * 3, [ONE] * 3, "sequence a: the prediction has the label 255, which is void"),
        (
            "2017-unsupervised",
            [ONE * 21] * 3,
            [ONE] * 3,
            "sequence a: the prediction has label 21; proposals .* 1 to 20",
        ),
        ("2017", [NONE] * 3, [NONE] * 3, "sequence a: the annotation has no object"),
        ("2016", [ONE] * 2, [ONE] * 2, "sequence a: 2 frames, too few"),
        ("2017", [ONE] * 3, [ONE] * 4, r"sequence a: prediction \(3, 40, 30\) and truth \(4, 40, 30\) must have one"),
    ],
)
def test_unsound_sequences_are_named(
    form: str, prediction: list[np.ndarray], truth: list[np.ndarray], fault: str
) -> None:
    with pytest.raises(DataError, match=fault):
        davis_scores([labelled("a", prediction, truth)], Form(form))


def test_no_sequences_are_an_error() -> None:
    with pytest.raises(DataError, match="no sequences"):
        davis_scores([], Form.SEMI_SUPERVISED)


def test_equals_trackeval() -> None:
    """TrackEval's J&F is the unsupervised form without void, for tracks that are RLE a frame."""
    pytest.importorskip("skimage")
    from trackeval.metrics import JAndF

    generator = np.random.default_rng(3)
    frames, shape = 9, (60, 140)
    truth = np.zeros((frames, *shape), dtype=np.uint8)
    prediction = np.zeros_like(truth)
    for label in (1, 2, 3):
        for frame in range(frames):
            y, x = 15 * label - 10 + frame, 30 * label + 2 * frame
            truth[frame, y : y + 14, x : x + 20] = label
            y, x = y + generator.integers(-6, 7), x + generator.integers(-6, 7)
            prediction[frame, y : y + 14, x : x + 20] = 4 - label
    prediction[5:, :20, :30] = 4
    truth[6, truth[6] == 2] = 0

    def tracks(labels: np.ndarray, count: int) -> tuple[list[list[masks.Rle]], list[np.ndarray]]:
        stacks = [masks.encode(image == np.arange(1, count + 1)[:, None, None]) for image in labels]
        return [list(stack) for stack in stacks], [np.arange(count)] * frames

    gt_dets, gt_ids = tracks(truth, 3)
    tracker_dets, tracker_ids = tracks(prediction, 4)
    metric = JAndF()
    metric.optim_type = "J&F"
    theirs = metric.eval_sequence(
        {
            "num_timesteps": frames,
            "num_tracker_ids": 4,
            "num_gt_ids": 3,
            "gt_dets": gt_dets,
            "tracker_dets": tracker_dets,
            "gt_ids": gt_ids,
            "tracker_ids": tracker_ids,
        }
    )
    ours = davis_scores([LabelledSequence("a", prediction, truth)], Form.UNSUPERVISED)
    for name, measure in (("J", ours.J), ("F", ours.F)):
        assert 0.2 < measure.mean < 0.9
        assert measure.mean == pytest.approx(theirs[f"{name}-Mean"], abs=1e-12)
        assert measure.recall == pytest.approx(theirs[f"{name}-Recall"], abs=1e-12)
        assert measure.decay == pytest.approx(theirs[f"{name}-Decay"], abs=1e-12)
    assert ours.J_and_F == pytest.approx(theirs["J&F"], abs=1e-12)


# --- folders, runs and the command


def palette(labels: np.ndarray) -> Image.Image:
    image = Image.fromarray(labels.astype(np.uint8)).convert("P")
    image.putdata(labels.ravel().tolist())
    image.putpalette([value for index in range(256) for value in (index, 255 - index, 7)])
    return image


def write(folder: Path, images: list[Image.Image]) -> None:
    folder.mkdir(parents=True)
    for index, image in enumerate(images):
        image.save(folder / f"{index:05}.png")


def invoke(*arguments: object) -> str:
    """What the command prints; user errors are raised."""
    app = typer.Typer(pretty_exceptions_enable=False)
    command.register(app)
    outcome = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if outcome.exception is not None:
        raise outcome.exception
    return outcome.output


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Results and true masks of two sequences, with two objects and one; the second is missed in one frame of three."""
    write(tmp_path / "masks/ape", [palette(TWO)] * 5)
    write(tmp_path / "results/ape", [palette(TWO)] * 5)
    white = Image.fromarray(ONE * 255)
    write(tmp_path / "masks/bear", [white.convert("1")] * 5)
    write(tmp_path / "results/bear", [white, white, Image.fromarray(NONE), white, white])
    return tmp_path / "results", tmp_path / "masks"


def test_command(folders: tuple[Path, Path], tmp_path: Path) -> None:
    results, truth = folders
    text = invoke(results, "--masks", truth, "--json", tmp_path / "scores.json")
    assert all(word in text for word in ("DAVIS-2017", "ape", "bear", "all objects", "0.889"))
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["form"] == "2017"
    assert scores["J&F"] == scores["J"]["mean"] == scores["F"]["mean"] == pytest.approx((1 + 1 + 2 / 3) / 3)
    # Three frames: the first quarter is frames 1 and 2, the last frame 3.
    assert scores["sequences"]["bear"]["J"] == pytest.approx({"mean": 2 / 3, "recall": 2 / 3, "decay": -0.5})
    assert scores["sequences"]["ape"]["objects"]["2"]["prediction"] == 2
    assert "DAVIS-2016" in invoke(results, "--masks", truth, "--form", 2016)


@pytest.mark.parametrize("which", [0, 1])
def test_a_mask_with_a_flipped_bit_is_refused(folders: tuple[Path, Path], which: int) -> None:
    results, truth = folders
    path = sorted(folders[which].rglob("*.png"))[1]
    whole = path.read_bytes()
    first, beyond = whole.find(b"IDAT") + 4, whole.find(b"IEND") - 8
    for place in range(first, beyond, 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(DataError, match=rf"mask {path}: not a PNG, or one that is cut short or damaged"):
            list(folder_sequences(results, truth, ["ape", "bear"], Form.UNSUPERVISED))


def test_a_list_of_sequences(folders: tuple[Path, Path], tmp_path: Path) -> None:
    results, truth = folders
    listing = tmp_path / "val.txt"
    listing.write_text("bear\n\n")
    assert sequence_names(truth, listing) == ("bear",)
    paths = "/JPEGImages/480p/bear/{0}.jpg /Annotations/480p/bear/{0}.png \n"
    listing.write_text(paths.format("00000") + paths.format("00001"))
    assert sequence_names(truth, listing) == ("bear",)
    assert "ape" not in invoke(results, "--masks", truth, "--sequences", listing)
    listing.write_text("bear\ncow\n")
    with pytest.raises(DataError, match=r"masks .*masks: no sequence cow$"):
        sequence_names(truth, listing)


def test_frames_that_do_not_count_need_no_prediction(folders: tuple[Path, Path]) -> None:
    results, truth = folders
    for frame in (0, 4):
        (results / f"ape/{frame:05}.png").unlink()
    read = folder_sequences(results, truth, ["ape"], Form.SEMI_SUPERVISED)
    assert davis_scores(read, Form.SEMI_SUPERVISED).J_and_F == 1
    with pytest.raises(DataError, match=r"sequence ape: no mask .*00000\.png"):
        davis_scores(folder_sequences(results, truth, ["ape"], Form.UNSUPERVISED), Form.UNSUPERVISED)


def test_void_is_read_from_palettes(tmp_path: Path) -> None:
    void = ONE.copy()
    void[20:30] = 255
    filled = np.where(void == 255, 1, ONE)
    write(tmp_path / "masks/ape", [palette(void)] * 3)
    write(tmp_path / "results/ape", [palette(filled)] * 3)
    for form in Form:
        assert davis_scores(folder_sequences(tmp_path / "results", tmp_path / "masks", ["ape"], form), form).J.mean == 1
    # But a palette of 0 and 255 alone is black and white where there is one object and no void.
    write(tmp_path / "white/ape", [palette(ONE * 255)] * 3)
    read = folder_sequences(tmp_path / "white", tmp_path / "masks", ["ape"], Form.SINGLE_OBJECT)
    assert davis_scores(read, Form.SINGLE_OBJECT).J.mean == 1
    with pytest.raises(DataError, match="sequence ape: the prediction has the label 255"):
        read = folder_sequences(tmp_path / "white", tmp_path / "masks", ["ape"], Form.SEMI_SUPERVISED)
        davis_scores(read, Form.SEMI_SUPERVISED)


def test_grey_masks_of_a_frame_that_shows_void_alone_hold_no_object(tmp_path: Path) -> None:
    void = np.zeros_like(ONE)
    void[20:30] = 255
    write(tmp_path / "masks/ape", [Image.fromarray(mask) for mask in (ONE | void, void, ONE | void)])
    write(tmp_path / "results/ape", [Image.fromarray(mask) for mask in (ONE, NONE, ONE)])
    read = folder_sequences(tmp_path / "results", tmp_path / "masks", ["ape"], Form.SEMI_SUPERVISED)
    assert davis_scores(read, Form.SEMI_SUPERVISED).J.mean == 1


def test_bad_folders_are_named_in_one_line(folders: tuple[Path, Path], tmp_path: Path) -> None:
    results, truth = folders

    def refused(*arguments: object) -> str:
        with pytest.raises(DataError) as caught:
            invoke(*arguments)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "--form 2018: give one of 2016, 2017, 2017-unsup" in refused(results, "--masks", truth, "--form", 2018)
    assert "not a folder" in refused(results, "--masks", tmp_path / "nowhere")
    assert "not a folder" in refused(tmp_path / "nowhere", "--masks", truth)
    assert "holds no folders" in refused(results, "--masks", results / "ape")
    line = refused(tmp_path, "--masks", truth)
    assert (
        "no sequence ape (nor 1 more of 2); to score only some sequences, name them in a file for --sequences" in line
    )
    bad = results / "ape/00002.png"
    Image.fromarray(np.zeros((40, 31), np.uint8)).save(bad)
    assert "ape/00002.png: is 31x40, the true masks are 30x40" in refused(results, "--masks", truth)
    Image.new("RGB", (30, 40), "red").save(bad)
    assert "ape/00002.png: a mask must be" in refused(results, "--masks", truth)
    palette(TWO).save(bad)
    bad.write_bytes(bad.read_bytes()[:-40])
    assert "sequence ape, mask" in refused(results, "--masks", truth)
    bad.unlink()
    assert "sequence ape: no mask" in refused(results, "--masks", truth)


def test_user_errors_leave_with_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["vis-pipeline", "davis", str(tmp_path), "--masks", str(tmp_path / "none")])
    with pytest.raises(SystemExit) as leaving:
        main()
    assert leaving.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_label_map_keeps_the_20_best_tracks_the_better_on_top() -> None:
    left, both = mask("##..", "##.."), mask("####", "####")
    tracks = [
        TrackResult(1, 1, score, (None, masks.encode(image[None])[0]))
        for score, image in [(0.2, both), (0.9, left), *[(0.01, both)] * 30]
    ]
    assert label_map(tracks, (2, 2, 4)).tolist() == [[[0] * 4] * 2, [[1, 1, 2, 2]] * 2]


def test_a_run_is_scored_by_its_tracks(folders: tuple[Path, Path], tmp_path: Path) -> None:
    _, truth = folders
    names = [f"{frame:05}.jpg" for frame in range(5)]
    sequences = {7: "bear", 9: "ape"}
    split = {
        "videos": [
            {"id": number, "width": 30, "height": 40, "length": 5, "file_names": [f"{name}/{file}" for file in names]}
            for number, name in sequences.items()
        ],
        "categories": [{"id": 1, "name": "object"}],
    }
    rles = masks.encode(np.stack([TWO == 2, TWO == 1]))
    tracks = [
        {"video_id": video, "category_id": 1, "score": score, "segmentations": [rle] * 4 + [None]}
        for video, score, rle in [(9, 0.3, rles[1]), (9, 0.4, rles[0]), (7, 0.5, rles[0]), (7, 0.1, rles[1])]
    ]
    run = tmp_path / "run"
    run.mkdir()
    (tmp_path / "split.json").write_text(json.dumps(split))
    (run / "results.json").write_text(json.dumps(tracks))
    (run / "config.json").write_text(json.dumps({"hash": "", "config": {"split": "../split.json"}}))
    arguments = (run, "--masks", truth, "--form", "2017-unsupervised", "--json", tmp_path / "scores.json")
    invoke(*arguments)
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["J&F"] == pytest.approx(4 / 5)
    chosen = {
        name: [entry["prediction"] for entry in one["objects"].values()] for name, one in scores["sequences"].items()
    }
    # Proposals are numbered by score.
    assert chosen == {"ape": [2, 1], "bear": [2]}
    with pytest.raises(DataError, match="tracks have no object numbers; score them with --form 2017-unsupervised"):
        invoke(run, "--masks", truth)
    tracks[3]["segmentations"] = [None]
    (run / "results.json").write_text(json.dumps(tracks))
    with pytest.raises(DataError, match=r"result 3 \(video 7\): 1 segmentations"):
        invoke(*arguments)


# --- real masks


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real sequences are not beside this checkout")
def test_real_masks() -> None:
    names = ("bmx-bumps", "swing")
    truths = [
        sequence.truth for sequence in folder_sequences(SHARED / "masks", SHARED / "masks", names, Form.SINGLE_OBJECT)
    ]
    same = davis_scores(map(LabelledSequence, names, truths, truths), Form.SINGLE_OBJECT)
    assert (same.J, same.F, same.J_and_F) == (davis.Statistics(1, 1, 0), davis.Statistics(1, 1, 0), 1)
    for truth in truths:
        truth = truth[:9]
        moved = np.zeros_like(truth)
        moved[:, :-4, 5:] = truth[:, 4:, :-5]
        stale = np.repeat(truth[:1], len(truth), axis=0)
        for prediction in (moved, stale):
            scores = davis_scores([LabelledSequence("a", prediction, truth)], Form.SINGLE_OBJECT)
            pairs = [(prediction[frame] > 0, truth[frame] > 0) for frame in range(1, len(truth) - 1)]
            for measure, literal in ((scores.J, davis_oracle.jaccard), (scores.F, davis_oracle.f_measure)):
                expected = davis_oracle.mean_recall_decay([literal(*pair) for pair in pairs])
                assert (measure.mean, measure.recall, measure.decay) == pytest.approx(expected)
                assert 0.05 < measure.mean < 0.99


def test_sequences_that_cannot_be_scored_are_left_out_of_the_figures(tmp_path: Path) -> None:
    for sequence in ("bear", "swing", "gone"):
        for kind in ("truth", "results"):
            (tmp_path / kind / sequence).mkdir(parents=True)
            for frame in range(3):
                Image.fromarray(np.uint8(255) * scene(frame + 7, (12, 16))).save(
                    tmp_path / f"{kind}/{sequence}/{frame}.png"
                )
    (tmp_path / "results/swing/1.png").write_bytes(b"")
    (tmp_path / "results/gone").rename(tmp_path / "elsewhere")
    names = ("swing", "bear", "gone")
    scores, left_out = folder_scores(tmp_path / "results", tmp_path / "truth", names, Form.SINGLE_OBJECT)
    assert [entry.name for entry in scores.sequences] == ["bear"] and scores.J.mean == 1
    assert "swing, mask" in left_out["swing"] and "no sequence gone" in left_out["gone"]
    with pytest.raises(DataError, match="none of 2 sequences can be scored; sequence swing"):
        folder_scores(tmp_path / "results", tmp_path / "truth", ["swing", "gone"], Form.SINGLE_OBJECT)
