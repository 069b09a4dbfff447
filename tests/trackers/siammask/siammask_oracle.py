"""A slow, literal, one-object-at-a-time SiamMask: OpenCV crops and warps, NumPy selection, a functional network.

Written from the papers and the arithmetic of the official release, independently of the package: nothing here is
imported from `vis_pipeline.trackers.siammask`.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F


class PlainNetwork:
    """The forward pass spelled out over a state dict, batch of one."""

    def __init__(self, tensors):
        self.t = {name: value.float().contiguous() for name, value in tensors.items()}
        self.bottleneck = "features.features.layer1.0.conv3.weight" in self.t
        self.refines = "refine_model.deconv.weight" in self.t
        self.two_branch = "rpn_model.loc.head.3.weight" not in self.t

    def conv(self, x, name, **options):
        return F.conv2d(x, self.t[name + ".weight"], self.t.get(name + ".bias"), **options)

    def norm(self, x, name):
        t = self.t
        return F.batch_norm(
            x, t[name + ".running_mean"], t[name + ".running_var"], t[name + ".weight"], t[name + ".bias"], eps=1e-5
        )

    def block(self, x, name, stride, dilation, shortcut):
        padding = dilation if stride == 1 else 0
        if self.bottleneck:
            y = F.relu(self.norm(self.conv(x, name + ".conv1"), name + ".bn1"))
            y = self.conv(y, name + ".conv2", stride=stride, padding=padding, dilation=dilation)
            y = F.relu(self.norm(y, name + ".bn2"))
            y = self.norm(self.conv(y, name + ".conv3"), name + ".bn3")
        else:
            y = self.conv(x, name + ".conv1", stride=stride, padding=padding, dilation=dilation)
            y = F.relu(self.norm(y, name + ".bn1"))
            y = self.norm(self.conv(y, name + ".conv2", padding=dilation, dilation=dilation), name + ".bn2")
        if shortcut is not None:
            x = self.norm(shortcut(x, name + ".downsample.0"), name + ".downsample.1")
        return F.relu(y + x)

    def layer(self, x, name, stride, dilation):
        count = len({key.split(".")[3] for key in self.t if key.startswith(f"features.features.{name}.")})
        for index in range(count):
            key = f"features.features.{name}.{index}"
            first = index == 0
            block_stride = stride if first else 1
            block_dilation = max(1, dilation // 2) if first else dilation
            shortcut = None
            if key + ".downsample.0.weight" in self.t:
                kernel = self.t[key + ".downsample.0.weight"].shape[-1]
                if kernel == 3:
                    padding = 0 if stride == 2 else block_dilation

                    def shortcut(v, n, s=block_stride, p=padding):
                        return self.conv(v, n, stride=s, padding=p)
                elif block_stride == 2:

                    def shortcut(v, n):
                        return self.conv(v[:, :, 1:-1, 1:-1], n, stride=2)
                else:
                    shortcut = self.conv
            x = self.block(x, key, block_stride, block_dilation, shortcut)
        return x

    def features(self, crop):
        x = torch.from_numpy(crop.transpose(2, 0, 1).astype(np.float32))[None]
        p0 = F.relu(self.norm(self.conv(x, "features.features.conv1", stride=2), "features.features.bn1"))
        p1 = self.layer(F.max_pool2d(p0, 3, 2, 1), "layer1", 1, 1)
        p2 = self.layer(p1, "layer2", 2, 1)
        p3 = self.layer(p2, "layer3", 1, 2)
        adjusted = self.norm(self.conv(p3, "features.downsample.downsample.0"), "features.downsample.downsample.1")
        if adjusted.shape[3] < 20:
            adjusted = adjusted[:, :, 4:-4, 4:-4]
        return p0, p1, p2, adjusted

    def correlation(self, branch, template, search):
        kernel = F.relu(self.norm(self.conv(template, branch + ".conv_kernel.0"), branch + ".conv_kernel.1"))
        field = F.relu(self.norm(self.conv(search, branch + ".conv_search.0"), branch + ".conv_search.1"))
        channels = [F.conv2d(field[:, c : c + 1], kernel[:, c : c + 1]) for c in range(kernel.shape[1])]
        return torch.cat(channels, 1)

    def head(self, branch, response):
        hidden = F.relu(self.norm(self.conv(response, branch + ".head.0"), branch + ".head.1"))
        return self.conv(hidden, branch + ".head.3")

    def branch(self, branch, template, search):
        return self.head(branch, self.correlation(branch, template, search))

    def refine(self, p0, p1, p2, vector):
        def two(x, name):
            x = F.relu(self.conv(x, f"refine_model.{name}.0", padding=1))
            return F.relu(self.conv(x, f"refine_model.{name}.2", padding=1))

        out = F.conv_transpose2d(vector, self.t["refine_model.deconv.weight"], self.t["refine_model.deconv.bias"], 15)
        out = F.interpolate(two(out, "h2") + two(p2, "v2"), size=(31, 31), mode="nearest")
        out = self.conv(out, "refine_model.post0", padding=1)
        out = F.interpolate(two(out, "h1") + two(p1, "v1"), size=(61, 61), mode="nearest")
        out = self.conv(out, "refine_model.post1", padding=1)
        out = F.interpolate(two(out, "h0") + two(p0, "v0"), size=(127, 127), mode="nearest")
        return self.conv(out, "refine_model.post2", padding=1)[0, 0]

    def mask_probabilities(self, template, features, at):
        """The mask at response position (y, x), or of the whole 127 crop where `at` is None."""
        p0, p1, p2, adjusted = features
        response = self.correlation("mask_model.mask", template, adjusted)
        y, x = at or (0, 0)
        vector = response[:, :, y : y + 1, x : x + 1]
        if not self.refines:
            return self.head("mask_model.mask", vector).reshape(63, 63).sigmoid().numpy()
        if at is not None:
            p0 = F.pad(p0, [16] * 4)[:, :, 4 * y : 4 * y + 61, 4 * x : 4 * x + 61]
            p1 = F.pad(p1, [8] * 4)[:, :, 2 * y : 2 * y + 31, 2 * x : 2 * x + 31]
            p2 = F.pad(p2, [4] * 4)[:, :, y : y + 15, x : x + 15]
        return self.refine(p0, p1, p2, vector).sigmoid().numpy()


def plain_crop(image, centre, side, padding, size):
    """Pad the image as far as the square reaches, cut, and resize with OpenCV."""
    height, width = image.shape[:2]
    x1, y1 = (round(float(c) - (side + 1) / 2) for c in centre)
    x2, y2 = x1 + side, y1 + side
    border = [max(0, -y1), max(0, y2 - height), max(0, -x1), max(0, x2 - width)]
    padded = cv2.copyMakeBorder(image, *border, cv2.BORDER_CONSTANT, value=[int(c) for c in padding])
    square = padded[y1 + border[0] : y2 + border[0], x1 + border[2] : x2 + border[2]]
    return square if side == size else cv2.resize(square, (size, size))


def plain_paste(mask, left, top, side, width, height):
    scale = mask.shape[0] / side
    box = [-left * scale, -top * scale, width * scale, height * scale]
    a, b = (width - 1) / box[2], (height - 1) / box[3]
    matrix = np.array([[a, 0, -a * box[0]], [0, b, -b * box[1]]], dtype=np.float64)
    return cv2.warpAffine(
        mask, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=-1
    )


def context_side(w, h):
    padding = (w + h) * 0.5
    return np.sqrt((w + padding) * (h + padding))


@dataclass
class PlainResult:
    box: list
    located: list
    score: float
    mask: np.ndarray


class PlainTracker:
    """One target, as the release's `init` and `track` go about it, and the paper's second stage."""

    def __init__(self, network, image, box, *, threshold, penalty_k, influence, rate, stages, second_crop):
        self.network, self.stages, self.second_crop = network, stages, second_crop
        self.threshold, self.penalty_k, self.influence, self.rate = threshold, penalty_k, influence, rate
        x, y, w, h = box
        self.centre, self.size = np.array([x + w / 2, y + h / 2]), np.array([w, h], dtype=float)
        self.padding = np.mean(image, axis=(0, 1)).astype(np.uint8)
        with torch.inference_mode():
            crop = plain_crop(image, self.centre, round(context_side(w, h)), self.padding, 127)
            self.template = network.features(crop)[3]

    def track(self, image):
        with torch.inference_mode():
            return self._track(image)

    def _track(self, image):
        height, width = image.shape[:2]
        exemplar = context_side(*self.size)
        scale = 127 / exemplar
        side = round(exemplar + 2 * ((255 - 127) / 2 / scale))
        features = self.network.features(plain_crop(image, self.centre, side, self.padding, 255))
        window = np.outer(np.hanning(25), np.hanning(25)).flatten()
        if self.network.two_branch:
            score = self.network.branch("rpn_model.cls", self.template, features[3]).sigmoid().numpy().ravel()
            best = int(np.argmax(score * (1 - self.influence) + window * self.influence))
            y, x = divmod(best, 25)
            located_centre = self.centre + np.array([x - 12, y - 12]) * 8 / scale
            located_size, size = self.size, self.size
        else:
            raw = self.network.branch("rpn_model.cls", self.template, features[3])
            score = F.softmax(raw.reshape(2, -1), dim=0)[1].numpy()
            boxes = self._boxes(self.network.branch("rpn_model.loc", self.template, features[3]))
            w, h = self.size * scale

            def change(r):
                return np.maximum(r, 1 / r)

            s = change(context_side(boxes[2], boxes[3]) / context_side(w, h))
            r = change((w / h) / (boxes[2] / boxes[3]))
            penalty = np.exp(-(r * s - 1) * self.penalty_k)
            ranked = penalty * score * (1 - self.influence) + np.tile(window, 5) * self.influence
            best = int(np.argmax(ranked))
            y, x = divmod(best % 625, 25)
            found = boxes[:, best] / scale
            rate = penalty[best] * score[best] * self.rate
            located_centre, located_size = self.centre + found[:2], found[2:]
            size = self.size * (1 - rate) + found[2:] * rate
        limits = np.array([width, height])
        located_centre = np.clip(located_centre, 0, limits)
        located_size = np.maximum(10, np.minimum(limits, located_size))
        size = np.maximum(10, np.minimum(limits, size))
        if self.stages == 1:
            mask = self.network.mask_probabilities(self.template, features, (y, x))
            factor = side / 255
            left, top = self.centre - side / 2 + (np.array([x, y]) - 4) * 8 * factor
            covered = factor * 127
        else:
            covered = round(context_side(*(located_size if self.second_crop == "located" else size)))
            crop = plain_crop(image, located_centre, covered, self.padding, 127)
            mask = self.network.mask_probabilities(self.template, self.network.features(crop), None)
            left, top = located_centre - covered / 2
        pasted = plain_paste(mask, left, top, covered, width, height) > self.threshold
        self.centre, self.size = located_centre, size
        if self.network.two_branch and pasted.any():
            bx, by, bw, bh = cv2.boundingRect(pasted.astype(np.uint8))
            self.centre = np.array([bx + bw / 2, by + bh / 2])
            self.size = np.maximum(10, np.minimum(limits, [bw, bh])).astype(float)
        return PlainResult(
            [*(self.centre - self.size / 2), *self.size],
            [*(located_centre - located_size / 2), *located_size],
            float(score[best]),
            pasted,
        )

    @staticmethod
    def _boxes(offsets):
        offsets = offsets.reshape(4, -1).numpy()
        boxes = np.empty((4, 5 * 625))
        shapes = [(104, 32), (88, 40), (64, 64), (40, 80), (32, 96)]
        for index in range(5 * 625):
            anchor, y, x = index // 625, index % 625 // 25, index % 25
            w, h = shapes[anchor]
            boxes[0, index] = offsets[0, index] * w + (x - 12) * 8
            boxes[1, index] = offsets[1, index] * h + (y - 12) * 8
            boxes[2, index] = np.exp(offsets[2, index]) * w
            boxes[3, index] = np.exp(offsets[3, index]) * h
        return boxes
