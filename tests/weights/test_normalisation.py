"""A first convolution that is moved to images given another way computes what it did."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline.weights.normalisation import CAFFE, RAW_BGR, TORCHVISION, Normalisation, refit

triples = st.tuples(*[st.floats(0, 200)] * 3)
spreads = st.tuples(*[st.floats(0.5, 80)] * 3)
normalisations = st.builds(Normalisation, order=st.sampled_from(["bgr", "rgb"]), mean=triples, std=spreads)


def seen(normalisation: Normalisation, blue: float, green: float, red: float) -> list[float]:
    """The pixel as the network gets it, channel by channel."""
    pixel = (blue, green, red) if normalisation.order == "bgr" else (red, green, blue)
    return [(x - m) / s for x, m, s in zip(pixel, normalisation.mean, normalisation.std, strict=True)]


def test_by_hand() -> None:
    kernel = torch.tensor([3.0, 2.0, 1.0]).view(1, 3, 1, 1)  # red 3, green 2, blue 1
    learned_with = Normalisation("rgb", (10.0, 20.0, 30.0), (2.0, 4.0, 5.0))
    moved, mean = refit(kernel, torch.tensor([7.0]), learned_with, RAW_BGR)
    # 3 (r - 10)/2 + 2 (g - 20)/4 + (b - 30)/5 - 7 = 0.2 b + 0.5 g + 1.5 r - (7 + 15 + 10 + 6)
    torch.testing.assert_close(moved.flatten(), torch.tensor([0.2, 0.5, 1.5]))
    torch.testing.assert_close(mean, torch.tensor([38.0]))


@given(normalisations, normalisations, st.tuples(*[st.integers(0, 255)] * 3), st.integers(0, 99))
def test_what_the_batch_norm_gets_less_its_mean_is_kept(
    before: Normalisation, after: Normalisation, pixel: tuple[int, int, int], seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    kernel = torch.randn(2, 3, 1, 1, generator=generator)
    running_mean = torch.randn(2, generator=generator)
    moved, moved_mean = refit(kernel, running_mean, before, after)
    was = kernel[:, :, 0, 0] @ torch.tensor(seen(before, *pixel)) - running_mean
    now = moved[:, :, 0, 0] @ torch.tensor(seen(after, *pixel)) - moved_mean
    torch.testing.assert_close(now, was, rtol=1e-3, atol=1e-2)


def test_half_precision_weights_are_moved_in_full_precision() -> None:
    moved, mean = refit(torch.ones(1, 3, 1, 1).half(), torch.zeros(1).half(), TORCHVISION, RAW_BGR)
    assert moved.dtype == mean.dtype == torch.float32
    assert mean.item() == pytest.approx(123.675 / 58.395 + 116.28 / 57.12 + 103.53 / 57.375)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "bgr_to_rgb": True}, TORCHVISION),
        ({"mean": [103.939, 116.779, 123.68], "std": [1, 1, 1], "bgr_to_rgb": False}, CAFFE),
        ({"type": "DetDataPreprocessor", "pad_size_divisor": 32}, RAW_BGR),
        ({"mean": [127.5], "std": [2.0]}, Normalisation("bgr", (127.5,) * 3, (2.0,) * 3)),
    ],
)
def test_mmdets_preprocessor(config: dict[str, object], expected: Normalisation) -> None:
    assert Normalisation.of_preprocessor(config) == expected


def test_in_words() -> None:
    assert str(TORCHVISION) == "RGB minus 123.675/116.28/103.53 over 58.395/57.12/57.375"
    assert str(CAFFE) == "BGR minus 103.939/116.779/123.68"
    assert str(RAW_BGR) == "BGR 0..255"
    assert CAFFE.as_mmdet() == "mean=[103.939, 116.779, 123.68], std=[1.0, 1.0, 1.0], bgr_to_rgb=False"
