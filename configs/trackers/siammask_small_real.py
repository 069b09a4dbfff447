"""The small SiamMask on the data of `siammask_r50_real`, from its weights for procedural videos, on the CPU."""

_base_ = ["./siammask_small.py"]

init = dict(type="network", path="work_dirs/siammask_small/tracker.safetensors")
sources = [
    dict(type="davis", frames="data/davis/frames", masks="data/davis/masks", weight=0.38,
         without=["bmx-bumps", "car-turn", "elephant", "horsejump-low", "mallard-water", "rhino", "stroller", "train"]),
    dict(type="coco", instances="data/coco_sample/instances.json", images="data/coco_sample/images", weight=0.24),
    dict(split="data/composed_train/instances.json", frames="data/composed_train/JPEGImages", weight=0.38),
]
