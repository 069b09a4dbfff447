"""SiamMask with ResNet-50 on a few real videos, stills and composed videos, tested on eight sequences it never saw.

DAVIS folders in data/davis, COCO photographs in data/coco_sample, a split of `vis-pipeline compose` in
data/composed_train, ImageNet weights in data/. `siammask_r50_real_refine` may follow.
"""

_base_ = ["./siammask_r50_imagenet.py"]

sources = [
    dict(type="davis", frames="data/davis/frames", masks="data/davis/masks", weight=0.38,
         without=["bmx-bumps", "car-turn", "elephant", "horsejump-low", "mallard-water", "rhino", "stroller", "train"]),
    dict(type="coco", instances="data/coco_sample/instances.json", images="data/coco_sample/images", weight=0.24),
    dict(split="data/composed_train/instances.json", frames="data/composed_train/JPEGImages", weight=0.38),
]
pairs = dict(cache_gigabytes=8)
