"""What a target shares its batch with changes nothing, to the last bit on the CPU."""

from itertools import chain

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from siammask_scenes import moving_squares, random_network

from vis_pipeline.trackers.siammask.batches import batches, limits_each
from vis_pipeline.trackers.siammask.lone_crops import as_in_a_batch
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.settings import SiamMaskSettings

FIELDS = ("boxes", "located_boxes", "scores", "masks")


@given(st.lists(st.integers(0, 7), max_size=6), st.integers(1, 5))
def test_batches_hold_every_target_once_in_order(counts, size):
    cut = list(batches(counts, size))
    sizes = [sum(part.stop - part.start for _, part in batch) for batch in cut]
    assert len(sizes) == -(-sum(counts) // size) and all(0 < count <= size for count in sizes)
    assert not sizes or max(sizes) - min(sizes) <= 1
    found = [(group, index) for group, part in chain(*cut) for index in range(part.start, part.stop)]
    assert found == [(group, index) for group, count in enumerate(counts) for index in range(count)]
    assert all(part.stop > part.start for _, part in chain(*cut))


def test_limits_are_those_of_the_image_that_a_target_is_in():
    images = [torch.zeros((4, 6, 3)), torch.zeros((9, 8, 3)), torch.zeros((2, 3, 3))]
    assert limits_each(images, [2, 0, 1]).tolist() == [[6, 4], [6, 4], [3, 2]]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ["small", "resnet50", "small_two_branch", "lite0"])
@torch.inference_mode()
def test_a_crop_alone_gives_what_it_does_in_a_batch(name, threads):
    network = random_network(name).for_prediction().to(memory_format=torch.channels_last)
    generator = torch.Generator().manual_seed(0)
    crops = [
        torch.randint(0, 256, (2, side, side, 3), generator=generator).permute(0, 3, 1, 2).float()
        for side in (127, 255, 127)
    ]

    def computed(chosen):
        exemplars, searches, seconds = (part[chosen] for part in crops)
        with as_in_a_batch(exemplars):
            template, search = network.template(exemplars), network.search(searches)
            second = network.search(seconds)
            correlation = network.mask_correlation(template, second)
            whole = network.refine_whole(second, correlation) if network.architecture.refine else correlation
            return [template, *(out for out in network.score_and_locate(template, search) if out is not None), whole]

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        both, alone = computed(slice(0, 2)), computed(slice(1, 2))
    finally:
        torch.set_num_threads(before)
    for one, two in zip(alone, both, strict=True):
        assert torch.equal(one[0], two[1])


def scene(size, seed):
    images, boxes = moving_squares(2, seed=seed, height=size[0], width=size[1])
    return [torch.from_numpy(image) for image in images], torch.from_numpy(boxes[:4])


@pytest.mark.parametrize("stages", [1, 2])
@pytest.mark.parametrize("name", ["small", "small_two_branch", "lite0"])
def test_targets_of_several_videos_in_any_batches_are_as_each_alone(name, stages):
    network = random_network(name)
    videos = [scene((120, 160), 1), scene((90, 200), 2)]
    alone = SiamMaskPredictor(network, SiamMaskSettings(stages=stages))
    expected = {}
    for video, ((first, second), boxes) in enumerate(videos):
        for index in range(len(boxes)):
            states = alone.initialise(first, boxes[index : index + 1])
            expected[video, index] = states, alone.predict(second, states)

    @settings(max_examples=8)
    @given(
        st.lists(st.lists(st.sampled_from(range(4)), unique=True), min_size=2, max_size=2),
        st.booleans(),
        st.integers(1, 6),
    )
    def check(chosen, turned, batch):
        predictor = SiamMaskPredictor(network, SiamMaskSettings(stages=stages, batch=batch))
        order = [1, 0] if turned else [0, 1]
        begun = predictor.initialise_each([(videos[video][0][0], videos[video][1][chosen[video]]) for video in order])
        found = predictor.predict_each([(videos[v][0][1], states) for v, states in zip(order, begun, strict=True)])
        for video, states, prediction in zip(order, begun, found, strict=True):
            assert len(prediction.masks) == len(chosen[video])
            assert prediction.masks.shape[1:] == videos[video][0][0].shape[:2]
            for place, index in enumerate(chosen[video]):
                start, one = expected[video, index]
                assert torch.equal(states.templates[place], start.templates[0])
                for field in FIELDS:
                    assert torch.equal(getattr(prediction, field)[place], getattr(one, field)[0]), field

    check()
