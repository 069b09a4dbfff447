"""Networks and little videos for the SiamMask tests, made from seeds."""

import cv2
import numpy as np
import torch

from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
from vis_pipeline.trackers.siammask.network import SiamMask


def random_network(name, seed=0):
    """An untrained network whose normalisation fits noise, and whose scores and boxes are moderate."""
    torch.manual_seed(seed)
    network = SiamMask(ARCHITECTURES[name])
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        template = network.template(255 * torch.rand(2, 3, 127, 127))
        search = network.search(255 * torch.rand(2, 3, 255, 255))
        network.score_and_locate(template, search)
        if network.mask_model is not None:
            network.mask_correlation(template, search)
        network.rpn_model.cls.head[3].weight.mul_(0.2)
        if network.rpn_model.loc is not None:
            network.rpn_model.loc.head[3].weight.mul_(0.05)
    return network.eval()


def moving_squares(frames, seed=0, height=120, width=160):
    """A textured background with textured squares that drift over it: BGR frames and the squares' first boxes."""
    rng = np.random.default_rng(seed)

    def texture(rows, columns, cell):
        coarse = rng.integers(0, 256, (rows // cell + 2, columns // cell + 2, 3), dtype=np.uint8)
        return cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)

    background = texture(height, width, 12)
    patches = [texture(24 + 3 * i, 20 + 4 * i, 5) for i in range(8)]
    starts = rng.uniform([0, 0], [width - 50, height - 50], (8, 2)).round()
    steps = rng.integers(-4, 5, (8, 2))
    images = []
    for frame in range(frames):
        image = background.copy()
        for patch, start, step in zip(patches, starts, steps, strict=True):
            x, y = np.clip(start + frame * step, 0, [width - patch.shape[1], height - patch.shape[0]]).astype(int)
            image[y : y + patch.shape[0], x : x + patch.shape[1]] = patch
        images.append(image)
    boxes = [[*start, patch.shape[1], patch.shape[0]] for start, patch in zip(starts, patches, strict=True)]
    return images, np.array(boxes, dtype=np.float64)
