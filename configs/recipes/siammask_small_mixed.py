"""vis-pipeline train tracker recipes/siammask_small_mixed --work-dir work_dirs/siammask_small_mixed

Made `bundled:siammask_small`: mean J 0.574 in one stage and 0.567 in two on eight sequences of DAVIS-2016 that it never
saw. The small SiamMask on drawn, composed and real videos and on stills, from its weights for drawn ones, on one CPU core.

Eight real sequences and a quarter of the photographs are left out, to be tested on. The data: `vis-pipeline synth --seed 0
--videos 400` in data/procedural_train, two splits of `vis-pipeline compose` (260 videos with seed 1, 120 with seed 2 and
`--hard`) in data/composed_train and data/composed_hard, DAVIS folders in data/davis, photographs in data/coco_train.
"""

_base_ = ["../trackers/siammask_small.py"]

init = dict(type="network", path="work_dirs/siammask_small/tracker.safetensors")
sources = [
    dict(split="data/procedural_train/instances.json", frames="data/procedural_train/JPEGImages", weight=0.3),
    dict(split="data/composed_train/instances.json", frames="data/composed_train/JPEGImages", weight=0.25),
    dict(split="data/composed_hard/instances.json", frames="data/composed_hard/JPEGImages", weight=0.15),
    dict(type="davis", frames="data/davis/frames", masks="data/davis/masks", weight=0.2,
         without=["bmx-bumps", "car-turn", "elephant", "horsejump-low", "mallard-water", "rhino", "stroller", "train"]),
    dict(type="coco", instances="data/coco_train/instances.json", images="data/coco_train/images", weight=0.1),
]
pairs = dict(cache_gigabytes=8)
schedule = dict(steps=7600, search_sides=[(0.0, 191), (0.4, 255)])
