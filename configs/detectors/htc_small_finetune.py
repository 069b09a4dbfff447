"""The bundled small HTC, trained further on any split: its classes are the split's, matched to the bundled by name.

To detect with it, the weights that come of it name the classes. The data: see `_youtube_vis_training.py`; frames are
fitted into 320x192.
"""

_base_ = ["./htc_small_procedural.py"]

from detectors.config_parts import mild_colours, warm_cosine

classes = None
init_weights = "bundled:htc_small"

frame_scale = (320, 192)
train_pipeline = [
    dict(type="LoadFrame"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="Resize", scale=frame_scale, keep_ratio=True),
    dict(type="SemanticMapFromInstances", background=8),  # becomes the number of classes
    dict(type="RandomFlip", prob=0.5),
    mild_colours(),
    dict(type="PackDetInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

max_iters = 3000
warmup_iters = 150
train_cfg = dict(max_iters=max_iters, val_interval=500)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = warm_cosine(max_iters, warmup_iters)
