"""The small SiamMask from `siammask_small_mixed` on, with more composed videos, stronger changes and stage 2 in front.

Its real videos are few, and it learned those by heart: so they get less weight, and light, colour and blur vary more.
Beside the data of `siammask_small_mixed` it needs those of `htc_small_mixed`. The same sequences and photographs are
left out.
"""

_base_ = ["./siammask_small.py"]

init = dict(type="network", path="work_dirs/siammask_small_mixed/tracker.safetensors")
sources = [
    dict(split="data/procedural_train/instances.json", frames="data/procedural_train/JPEGImages", weight=0.2),
    dict(split="data/composed_train/instances.json", frames="data/composed_train/JPEGImages", weight=0.15),
    dict(split="data/composed_hard/instances.json", frames="data/composed_hard/JPEGImages", weight=0.1),
    dict(split="data/objects_train/instances.json", frames="data/objects_train/JPEGImages", weight=0.2),
    dict(split="data/objects_hard/instances.json", frames="data/objects_hard/JPEGImages", weight=0.1),
    dict(type="davis", frames="data/davis/frames", masks="data/davis/masks", weight=0.12,
         without=["bmx-bumps", "car-turn", "elephant", "horsejump-low", "mallard-water", "rhino", "stroller", "train"]),
    dict(type="coco", instances="data/coco_train/instances.json", images="data/coco_train/images", weight=0.13),
]
pairs = dict(cache_gigabytes=8)
augment = dict(grey=0.2, blur=0.25, light=0.25)
losses = dict(refined=8.0, second_stage=24.0)
schedule = dict(steps=12000, weight_decay=0.05, search_sides=[(0.0, 191), (0.35, 255)])
