"""The bundled small HTC, trained further on any split: its classes are the split's, matched to the bundled by name.

To detect with it, the weights that come of it name the classes. The data: see `_youtube_vis_training.py`; frames are
fitted into 320x192.
"""

_base_ = ["./htc_small_procedural.py"]

classes = None
init_weights = "bundled:htc_small"

frame_scale = (320, 192)
train_pipeline = [
    dict(type="LoadFrame"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="Resize", scale=frame_scale, keep_ratio=True),
    dict(type="SemanticMapFromInstances", background=8),  # set to the number of classes
    dict(type="RandomFlip", prob=0.5),
    dict(
        type="PhotoMetricDistortion",
        brightness_delta=24,
        contrast_range=(0.7, 1.3),
        saturation_range=(0.7, 1.3),
        hue_delta=18,
    ),
    dict(type="PackDetInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

max_iters = 3000
warmup_iters = 150
train_cfg = dict(max_iters=max_iters, val_interval=500)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=warmup_iters),
    dict(
        type="CosineAnnealingLR",
        by_epoch=False,
        begin=warmup_iters,
        end=max_iters,
        T_max=max_iters - warmup_iters,
        eta_min=1e-6,
    ),
]
