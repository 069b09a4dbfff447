"""SiamFC and SiamRPN, and SiamMask without its masks: the trackers of the papers' ablation (Table 16)."""

from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from siammask_oracle import PlainNetwork, context_side, plain_crop
from siammask_scenes import moving_squares, random_network

from vis_pipeline.errors import ConfigError, WeightsError
from vis_pipeline.trackers.choices import SecondStageChoice, SiamMaskChoice
from vis_pipeline.trackers.lifecycle.settings import TrackingSettings
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES, Architecture
from vis_pipeline.trackers.siammask.checkpoint import load_siammask, save_siammask
from vis_pipeline.trackers.siammask.half_precision import in_half_precision
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.reports import reported
from vis_pipeline.trackers.siammask.scale_search import ScalePriors, select_over_scales
from vis_pipeline.trackers.siammask.settings import PRESETS, ScaleSearchSettings, SiamMaskSettings
from vis_pipeline.weights.files import read_metadata, write_state_dict

BASELINES = [name for name in ARCHITECTURES if name.startswith(("siamfc", "siamrpn"))]


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_have_the_maps_and_responses_of_siammask(name):
    architecture = ARCHITECTURES[name]
    with torch.device("meta"):
        network = SiamMask(architecture).eval()
        search, inner = network.search(torch.empty(2, 3, 255, 255)), network.search(torch.empty(2, 3, 127, 127))
        scores, offsets = network.score_and_locate(network.template(torch.empty(2, 3, 127, 127)), search)
    maps = [(each.conv1, each.layer1, each.layer2, each.adjusted) for each in (search, inner)]
    assert [[each.shape[-1] for each in found] for found in maps] == [[125, 63, 31, 31], [61, 31, 15, 7]]
    channels = (*architecture.stage_channels[:3], architecture.adjust_width)
    assert all(tuple(each.shape[1] for each in found) == channels for found in maps)
    if "box" in architecture.branches:
        assert (scores.shape, offsets.shape) == ((2, 10, 25, 25), (2, 20, 25, 25))
    else:
        assert (scores.shape, offsets) == ((2, 1, 25, 25), None)
    with pytest.raises(ValueError, match="no mask branch"):
        network.mask_correlation(inner.adjusted, search)


def test_alexnet_is_five_convolutions_and_two_pools():
    network = random_network("siamfc_small_alexnet")
    t = {key.removeprefix("features."): value for key, value in network.state_dict().items()}

    def layer(x, convolution, norm, padding):
        x = F.conv2d(x, t[f"features.{convolution}.weight"], padding=padding, stride=2 if convolution == "conv1" else 1)
        return F.batch_norm(
            x, *(t[f"features.{norm}.{key}"] for key in ("running_mean", "running_var", "weight", "bias"))
        )

    crops = torch.randint(0, 256, (2, 3, 127, 127)).float()
    with torch.inference_mode():
        x = layer(F.pad(crops, [2] * 4, mode="replicate"), "conv1", "bn1", 0).relu()
        x = layer(F.max_pool2d(x, 3, 2, 1), "layer1.0", "layer1.1", 2).relu()
        x = layer(F.max_pool2d(x, 3, 2), "layer2.0", "layer2.1", 1).relu()
        x = layer(x, "layer3.0", "layer3.1", 1).relu()
        x = layer(x, "layer3.3", "layer3.4", 1)
        torch.testing.assert_close(network.features.features(crops)[3], x)


def test_alexnet_samples_the_places_that_the_resnet_samples():
    """A crop mirrored gives the maps mirrored, with kernels that are: the middle pixel is every map's middle."""
    network = random_network("siamfc_small_alexnet")
    for module in network.features.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.weight.data += module.weight.data.flip(3)
    crops = torch.randint(0, 256, (1, 3, 255, 255)).float()
    with torch.inference_mode():
        found, mirrored = network.features.features(crops), network.features.features(crops.flip(3))
    for one, other in zip(found, mirrored, strict=True):
        torch.testing.assert_close(other, one.flip(3), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["siamfc_small_alexnet", "siamrpn_small"])
def test_weights_load_strictly(tmp_path, name):
    network = random_network(name)
    save_siammask(tmp_path / "net.safetensors", network)
    assert read_metadata(tmp_path / "net.safetensors")["architecture"] == name
    assert load_siammask(tmp_path / "net.safetensors").architecture == ARCHITECTURES[name]
    tensors = network.state_dict()
    del tensors["rpn_model.cls.head.3.bias"]
    write_state_dict(tmp_path / "less.safetensors", tensors, {"architecture": name})
    with pytest.raises(WeightsError, match=r"missing key rpn_model\.cls\.head\.3\.bias"):
        load_siammask(tmp_path / "less.safetensors")


@pytest.mark.parametrize(("name", "count"), [("small_no_refine", 3), ("small_two_branch", 2)])
def test_files_that_count_their_branches_are_read(tmp_path, name, count):
    architecture = replace(ARCHITECTURES[name], widths=(8, 8, 16))
    fields = {**asdict(architecture), "branches": count}
    write_state_dict(tmp_path / "net.safetensors", SiamMask(architecture).state_dict(), {"architecture": fields})
    assert load_siammask(tmp_path / "net.safetensors").architecture == architecture


@pytest.mark.parametrize(
    ("name", "changed"),
    [("siamfc_small", {"coarse_mask": True}), ("siamrpn_small", {"refine": True}), ("small", {"refine": False})],
)
def test_a_mask_branch_and_what_makes_masks_need_each_other(name, changed):
    with pytest.raises(ValueError, match="need each other"):
        Architecture(**{**asdict(ARCHITECTURES[name]), **changed})


class PlainSiamFC:
    """SiamFC's way with one target: three crops, one after another, and NumPy."""

    def __init__(self, network, image, box, settings):
        self.network, self.settings = network, settings
        x, y, w, h = box
        self.centre, self.size = np.array([x + w / 2, y + h / 2]), np.array([w, h], dtype=float)
        self.padding = np.mean(image, axis=(0, 1)).astype(np.uint8)
        with torch.inference_mode():
            crop = plain_crop(image, self.centre, round(context_side(w, h)), self.padding, 127)
            self.template = network.features(crop)[3]

    def track(self, image):
        height, width = image.shape[:2]
        s = self.settings
        factors, responses = [1 / s.step, 1, s.step], []
        for factor in factors:
            side = round(context_side(*(self.size * factor)) * 255 / 127)
            crop = plain_crop(image, self.centre, side, self.padding, 255)
            with torch.inference_mode():
                raw = self.network.branch("rpn_model.cls", self.template, self.network.features(crop)[3])
            responses.append(cubic(raw.double().numpy()[0, 0], s.upsampling))
        peaks = [r.max() for r in responses]
        for other in (0, 2):
            peaks[other] *= s.penalty if peaks[other] > 0 else 2 - s.penalty
        best = int(np.argmax(peaks))
        response, factor = responses[best], factors[best]
        normed = response - response.min()
        normed = normed / normed.sum()
        hanning = np.outer(np.hanning(len(normed)), np.hanning(len(normed)))
        blend = (1 - s.window_influence) * normed + s.window_influence * hanning / hanning.sum()
        y, x = np.unravel_index(np.argmax(blend), blend.shape)
        in_crop = (np.array([x, y]) - (len(normed) - 1) / 2) * 8 / s.upsampling
        shift = in_crop * context_side(*(self.size * factor)) / 127
        limits = np.array([width, height])
        self.centre = np.clip(self.centre + shift, 0, limits)
        self.size = np.clip((1 - s.rate) * self.size + s.rate * factor * self.size, 10, limits)
        self.factor = factor
        return [*(self.centre - self.size / 2), *self.size], 1 / (1 + np.exp(-response[y, x]))


def cubic(response, times):
    """Cubic convolution (a = -0.75) on positions 1 / times apart, borders repeated."""

    def weight(d):
        d = abs(d)
        if d <= 1:
            return 1.25 * d**3 - 2.25 * d**2 + 1
        return -0.75 * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0.0

    count = len(response)
    matrix = np.zeros(((count - 1) * times + 1, count))
    for row in range(len(matrix)):
        for near in range(row // times - 1, row // times + 3):
            matrix[row, min(max(near, 0), count - 1)] += weight(row / times - near)
    return matrix @ response @ matrix.T


@pytest.mark.parametrize("kind", ["siamfc_small", "small_two_branch"])
def test_sizes_are_searched_for_many_targets_as_for_each_alone(kind):
    images, boxes = moving_squares(3, seed=3)
    network = random_network(kind, seed=4)
    chosen = ScaleSearchSettings(step=1.2, penalty=0.99, rate=0.5, upsampling=4)
    tracker = SiamMaskPredictor(network, SiamMaskSettings(report="score", scale_search=chosen))
    states = tracker.initialise(torch.from_numpy(images[0]), torch.from_numpy(boxes[:3]))
    plain = [PlainSiamFC(PlainNetwork(network.state_dict()), images[0], box, chosen) for box in boxes[:3]]
    factors = set()
    for image in images[1:]:
        prediction = tracker.predict(torch.from_numpy(image), states)
        states = prediction.states
        expected = [one.track(image) for one in plain]
        np.testing.assert_allclose(prediction.boxes, [box for box, _ in expected], atol=0.01)
        np.testing.assert_allclose(prediction.scores, [score for _, score in expected], atol=1e-4)
        assert prediction.masks is None
        factors |= {one.factor for one in plain}
    assert len(factors) == 3, "every size should be the best at some time"


@pytest.mark.parametrize(("level", "expected"), [(5.0, 1.0), (-5.0, 1.0), (5.2, 1.1), (-4.8, 1.1)])
def test_another_size_must_be_clearly_better(level, expected):
    """5 is penalised to 4.9 and 5.2 to 5.096; -5 to -5.1 and -4.8 to -4.896."""
    chosen = ScaleSearchSettings(step=1.1, penalty=0.98, rate=1.0, upsampling=2)
    logits = torch.full((1, 3, 25, 25), -9.0)
    logits[0, :, 12, 12] = torch.tensor([-9.0, 5.0 * np.sign(level), level])
    selection = select_over_scales(
        logits,
        torch.tensor([[50.0, 60.0]]).double(),
        torch.tensor([[30.0, 20.0]]).double(),
        torch.tensor([[200.0, 100.0]]).double(),
        chosen,
        ScalePriors.on(torch.device("cpu"), chosen),
    )
    np.testing.assert_allclose(selection.sizes, [[30 * expected, 20 * expected]])
    np.testing.assert_allclose(selection.located_centres, [[50, 60]])
    assert selection.positions.tolist() == [[12, 12]]


def test_a_target_alone_is_found_as_in_company_by_scores():
    images, boxes = moving_squares(2)
    tracker = SiamMaskPredictor(random_network("siamfc_small"), SiamMaskSettings())
    together = tracker.predict(
        torch.from_numpy(images[1]), tracker.initialise(torch.from_numpy(images[0]), torch.from_numpy(boxes))
    )
    alone = tracker.predict(
        torch.from_numpy(images[1]), tracker.initialise(torch.from_numpy(images[0]), torch.from_numpy(boxes[5:6]))
    )
    assert torch.equal(together.boxes[5:6], alone.boxes)


@pytest.mark.parametrize("kind", ["small", "small_no_refine"])
def test_the_box_branch_alone_gives_the_boxes_that_come_with_masks_and_makes_none(kind, monkeypatch):
    images, boxes = moving_squares(3)
    network = random_network(kind)
    with_masks = SiamMaskPredictor(network, PRESETS["vot"])
    alone = SiamMaskPredictor(network, replace(PRESETS["vot"], report="box"))
    monkeypatch.setattr(SiamMask, "_mask_branch", lambda self: pytest.fail("the mask branch is run"))
    states = alone.initialise(torch.from_numpy(images[0]), torch.from_numpy(boxes[:3]))
    found = []
    for image in images[1:]:
        found.append(alone.predict(torch.from_numpy(image), states))
        states = found[-1].states
    monkeypatch.undo()
    states = with_masks.initialise(torch.from_numpy(images[0]), torch.from_numpy(boxes[:3]))
    for image, prediction in zip(images[1:], found, strict=True):
        expected = with_masks.predict(torch.from_numpy(image), states)
        states = expected.states
        assert torch.equal(prediction.boxes, expected.boxes)
        assert torch.equal(prediction.scores, expected.scores)
        assert (prediction.masks, expected.masks.dtype) == (None, torch.bool)


def test_siamrpn_is_siammask_without_its_mask_branch():
    images, boxes = moving_squares(2)
    whole, less = random_network("small_no_refine"), SiamMask(ARCHITECTURES["siamrpn_small"])
    less.load_state_dict({key: value for key, value in whole.state_dict().items() if not key.startswith("mask_model")})
    found = []
    for network in (whole, less):
        tracker = SiamMaskPredictor(network, SiamMaskSettings(report="box"))
        states = tracker.initialise(torch.from_numpy(images[0]), torch.from_numpy(boxes))
        found.append(tracker.predict(torch.from_numpy(images[1]), states).boxes)
    assert torch.equal(*found)


@pytest.mark.parametrize("name", ["siamfc_small_alexnet", "siamrpn_small"])
def test_half_precision_sees_what_is_seen_exactly(name):
    network = random_network(name)
    quick = in_half_precision(network)
    images, _ = moving_squares(1)
    crops = torch.from_numpy(cv2.resize(images[0], (255, 255))).permute(2, 0, 1)[None].float()
    with torch.inference_mode():
        exact, fast = (
            each.score_and_locate(each.template(crops[..., 64:191, 64:191]), each.search(crops))[0]
            for each in (network, quick)
        )
    assert fast.dtype == torch.float32
    assert float((fast - exact).abs().mean()) < 0.08 * float(exact.std())


def test_no_targets_have_no_masks():
    images, _ = moving_squares(1)
    tracker = SiamMaskPredictor(random_network("siamfc_small"), SiamMaskSettings())
    image = torch.from_numpy(images[0])
    prediction = tracker.predict(image, tracker.initialise(image, torch.zeros(0, 4)))
    assert (prediction.boxes.shape, prediction.masks) == ((0, 4), None)


@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        ("small", None, "mask"),
        ("small", "mask", "mask"),
        ("small", "box", "box"),
        ("small_two_branch", None, "mask"),
        ("small_two_branch", "score", "score"),
        ("siamrpn_small", None, "box"),
        ("siamfc_small", None, "score"),
    ],
)
def test_the_most_that_there_is_is_reported_unless_less_is_asked_for(name, asked, expected):
    assert reported(ARCHITECTURES[name], SiamMaskSettings(report=asked)) == expected


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("small", {"report": "score"}, "report 'score': not of these weights, which report mask or box"),
        ("small_two_branch", {"report": "box"}, "report 'box': not of these weights, which report mask or score"),
        ("siamrpn_small", {"report": "mask"}, "report 'mask': not of these weights, which report box"),
        ("siamfc_small", {"report": "box"}, "report 'box': not of these weights, which report score"),
        ("siamrpn_small", {"stages": 2}, "two stages: the second one is for masks, and boxes are reported"),
        ("small", {"stages": 2, "report": "box"}, "two stages: the second one is for masks"),
    ],
)
def test_what_a_network_cannot_report_is_refused(name, settings, message):
    with pytest.raises(ConfigError, match=message):
        SiamMaskPredictor(SiamMask(ARCHITECTURES[name]), SiamMaskSettings(**settings))


@pytest.mark.parametrize("name", ["siamfc_small", "siamrpn_small"])
def test_who_needs_masks_refuses_weights_that_make_none(tmp_path, name):
    path = tmp_path / "net.safetensors"
    save_siammask(path, SiamMask(ARCHITECTURES[name]))
    message = f"weights {path}: a tracker of boxes, without a mask branch"
    with pytest.raises(WeightsError, match=message):
        SiamMaskChoice(checkpoint=str(path)).build(TrackingSettings(), torch.device("cpu"))
    with pytest.raises(WeightsError, match=message):
        SecondStageChoice(checkpoint=str(path)).build(torch.device("cpu"))
