"""HTC for 320x192 procedural videos, small enough to train from scratch on CPU cores.

Every part of HTC is there (three interleaved stages, mask information flow, the semantic branch), narrowed: ResNet-18
with half the channels, 48-channel features, few proposals. The semantic branch learns from a map drawn from the
instances, so that every pixel teaches the class.

The data: see `_youtube_vis_training.py`.
"""

_base_ = ["./_youtube_vis_training.py"]

from detectors.config_parts import box_head, mask_heads, mild_colours, stage_training, warm_cosine

classes = ("disc", "ring", "square", "triangle", "star", "cross", "crescent", "arrow")
num_classes = len(classes)
channels = 48
norm = dict(type="BN", requires_grad=True)

model = dict(
    data_preprocessor=dict(pad_seg=True),
    backbone=dict(
        depth=18,
        base_channels=32,
        stem_channels=32,
        frozen_stages=-1,
        norm_cfg=norm,
        norm_eval=False,
        init_cfg=None,
    ),
    neck=dict(in_channels=[32, 64, 128, 256], out_channels=channels, num_outs=4, norm_cfg=norm),
    rpn_head=dict(
        in_channels=channels,
        feat_channels=channels,
        anchor_generator=dict(scales=[5, 7], ratios=[0.5, 1.0, 2.0], strides=[4, 8, 16, 32]),
    ),
    roi_head=dict(
        stage_loss_weights=[1.0, 0.75, 0.5],
        bbox_roi_extractor=dict(roi_layer=dict(sampling_ratio=1), out_channels=channels, featmap_strides=[4, 8, 16], finest_scale=28),
        bbox_head=[box_head(num_classes, channels, 192, (0.1 * s, 0.2 * s), class_weight=1.5) for s in (1.0, 0.5, 0.33)],
        mask_roi_extractor=dict(roi_layer=dict(sampling_ratio=1), out_channels=channels, featmap_strides=[4, 8], finest_scale=56),
        mask_head=mask_heads(num_classes, channels, 2, class_agnostic=True),
        semantic_roi_extractor=dict(
            type="SingleRoIExtractor",
            roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=1),
            out_channels=channels,
            featmap_strides=[8],
        ),
        semantic_head=dict(
            type="FusedSemanticHead",
            num_ins=4,
            fusion_level=1,
            seg_scale_factor=1 / 8,
            num_convs=2,
            in_channels=channels,
            conv_out_channels=channels,
            norm_cfg=norm,
            num_classes=num_classes + 1,
            loss_seg=dict(type="CrossEntropyLoss", ignore_index=255, loss_weight=1.0),
        ),
    ),
    train_cfg=dict(
        rpn=dict(sampler=dict(num=64)),
        rpn_proposal=dict(nms_pre=300, max_per_img=150),
        rcnn=[stage_training(iou) for iou in (0.5, 0.6, 0.7)],
    ),
    test_cfg=dict(rpn=dict(nms_pre=300, max_per_img=100), rcnn=dict(score_thr=0.05, max_per_img=30)),
)

_pipeline = [
    dict(type="LoadFrame"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="SemanticMapFromInstances", background=num_classes),
    dict(type="RandomFlip", prob=[0.25, 0.25, 0.25], direction=["horizontal", "vertical", "diagonal"]),
    mild_colours(),
    dict(type="PackDetInputs"),
]
# Frames of another size are fitted into that of the training videos.
test_pipeline = [
    dict(type="LoadFrame"),
    dict(type="Resize", scale=(320, 192), keep_ratio=True),
    dict(
        type="PackDetInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]

train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(pipeline=_pipeline))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(pipeline=test_pipeline))

max_iters = 10000
warmup_iters = 300
train_cfg = dict(max_iters=max_iters, val_interval=1000)
optim_wrapper = dict(
    optimizer=dict(type="AdamW", lr=1e-3, betas=(0.9, 0.99), weight_decay=0.02),
    clip_grad=dict(max_norm=10.0, norm_type=2),
)
param_scheduler = warm_cosine(max_iters, warmup_iters)
randomness = dict(seed=20)
default_hooks = dict(checkpoint=dict(interval=250))
custom_hooks = [dict(type="LossRecord", interval=20), dict(type="ValidationRecord", save_best="frame/AP")]
