"""HTC R-50 for YouTube-VIS 2019: 40 classes, without the semantic branch (the data have no maps of stuff).

The data: see `_youtube_vis_training.py`. Two residual stages are frozen, so weights to start from are needed: an HTC's
that was trained on COCO, `--cfg-options init_weights=htc_r50_fpn_1x_coco`, or a ResNet-50's, `init_backbone=FILE`.
"""

_base_ = ["./_youtube_vis_training.py"]

from detectors.class_maps import YOUTUBE_VIS_2019 as classes
num_classes = len(classes)
frame_scale = (640, 360)


def _box_head(xy, wh):
    return dict(
        type="Shared2FCBBoxHead",
        in_channels=256,
        fc_out_channels=1024,
        roi_feat_size=7,
        num_classes=num_classes,
        bbox_coder=dict(
            type="DeltaXYWHBBoxCoder", target_means=[0.0, 0.0, 0.0, 0.0], target_stds=[xy, xy, wh, wh]
        ),
        reg_class_agnostic=True,
        loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=False, loss_weight=1.0),
        loss_bbox=dict(type="SmoothL1Loss", beta=1.0, loss_weight=1.0),
    )


def _mask_head(**first):
    return dict(
        type="HTCMaskHead",
        num_convs=4,
        in_channels=256,
        conv_out_channels=256,
        num_classes=num_classes,
        loss_mask=dict(type="CrossEntropyLoss", use_mask=True, loss_weight=1.0),
        **first,
    )


model = dict(
    roi_head=dict(
        bbox_head=[_box_head(0.1, 0.2), _box_head(0.05, 0.1), _box_head(0.033, 0.067)],
        mask_head=[_mask_head(with_conv_res=False), _mask_head(), _mask_head()],
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
