"""HTC R-50 for YouTube-VIS 2019: 40 classes, without the semantic branch (the data have no maps of stuff).

The data: see `_youtube_vis_training.py`. Two residual stages are frozen, so weights to start from are needed: an HTC's
that was trained on COCO, `--cfg-options init_weights=htc_r50_fpn_1x_coco`, or a ResNet-50's, `init_backbone=FILE`.
"""

_base_ = ["./_youtube_vis_training.py"]

from detectors.class_maps import YOUTUBE_VIS_2019 as classes
from detectors.config_parts import box_head, mask_heads
num_classes = len(classes)
frame_scale = (640, 360)

model = dict(
    roi_head=dict(
        bbox_head=[box_head(num_classes, 256, 1024, spread) for spread in ((0.1, 0.2), (0.05, 0.1), (0.033, 0.067))],
        mask_head=mask_heads(num_classes, 256, 4),
    ),
)

train_pipeline = [
    dict(type="LoadFrame"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="Resize", scale=frame_scale, keep_ratio=True),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackDetInputs"),
]
test_pipeline = [
    dict(type="LoadFrame"),
    dict(type="Resize", scale=frame_scale, keep_ratio=True),
    dict(type="PackDetInputs", meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor")),
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))

max_iters = 60000
train_cfg = dict(max_iters=max_iters)
optim_wrapper = dict(
    optimizer=dict(type="SGD", lr=0.01, momentum=0.9, weight_decay=0.0001),
    clip_grad=dict(max_norm=35, norm_type=2),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=1000),
    dict(type="MultiStepLR", by_epoch=False, begin=0, end=max_iters, milestones=[40000, 55000], gamma=0.1),
]
