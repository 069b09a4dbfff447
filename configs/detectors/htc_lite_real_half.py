"""`htc_lite_real` at half its resolution: frames are fitted into 256 pixels. The weights are the same."""

_base_ = ["../recipes/htc_lite_real.py"]

test_pipeline = [
    dict(type="LoadFrame"),
    dict(type="Resize", scale=(256, 256), keep_ratio=True),
    dict(type="PackDetInputs", meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor")),
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
