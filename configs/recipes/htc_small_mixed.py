"""vis-pipeline train detector recipes/htc_small_mixed --work-dir work_dirs/htc_small_mixed

Made `bundled:htc_small`, for the eight drawn shapes and `object`, whatever was photographed: mask AP of single frames 0.702
on drawn videos, 0.659 on hard ones, 0.074 on composed ones.

It goes on from the weights of `htc_small_procedural`. The data: `vis-pipeline synth --seed 0 --videos 400` in
data/procedural_train; `vis-pipeline compose --one-class object --frames 16` in data/objects_train (500 videos, seed 11)
and, with `--hard`, data/objects_hard (200 videos, seed 12); real sequences in data/davis_split. The card of the weights
has the commands.
"""

_base_ = ["../detectors/htc_small_procedural.py"]

from detectors.config_parts import mild_colours, warm_cosine

classes = ("disc", "ring", "square", "triangle", "star", "cross", "crescent", "arrow", "object")
init_weights = "work_dirs/htc_small/detector.safetensors"

_load = [
    dict(type="LoadFrame"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
]
_vary = [
    dict(type="SemanticMapFromInstances", background=len(classes)),
    dict(type="RandomFlip", prob=0.5),
    mild_colours(),
    dict(type="PackDetInputs"),
]
_zoom = [
    dict(type="RandomChoiceResize", scales=[(320, 192), (384, 230), (448, 270)], keep_ratio=True),
    dict(type="RandomCrop", crop_size=(192, 320), crop_type="absolute", allow_negative_crop=False),
]
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="MixedFrames",
        classes=classes,
        ann_file="instances.json",
        data_prefix=dict(img="JPEGImages"),
        pipeline=[*_load, *_zoom, *_vary],
        splits=[
            dict(data_root="data/procedural_train", weight=0.45, pipeline=[*_load, *_vary]),
            dict(data_root="data/objects_train", weight=0.35),
            dict(data_root="data/objects_hard", weight=0.1),
            dict(data_root="data/davis_split", weight=0.1),
        ],
    )
)
val_dataloader = dict(dataset=dict(classes=classes))

max_iters = 13000
warmup_iters = 300
train_cfg = dict(max_iters=max_iters, val_interval=1000)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = warm_cosine(max_iters, warmup_iters)
