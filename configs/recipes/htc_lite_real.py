"""torchrun --nproc-per-node 7 -m vis_pipeline train detector htc_lite_real --work-dir work_dirs/htc_lite_real

Began `bundled:htc_lite_real`, which `htc_lite_real_end` finished. HTC on EfficientNet-Lite0 for people, animals, vehicles
and things in ordinary pictures, small enough for CPU cores. This part ran on one GPU that seven processes shared.

Every part of HTC is there (three interleaved stages, mask information flow) but the semantic branch: 64-channel
features, few proposals, masks of one class. The stem and the first level of the trunk stay as ImageNet left them.

The data: COCO files in data/coco_sample, data/coco_more/{general,street,person}, data/more_masks/{street_fashion,feral_cats}
(instances.json and images in each); data/davis.json, written by `vis-pipeline davis-to-vis`, and its frames in data/davis.
Every seventh picture of `general`, in the order of the ids, is left out. To validate on them: `vis-pipeline coco-to-vis
--instances data/coco_more/general/instances.json --every 7 --classes TABLE --out data/heldout/instances.json`, with the
table below as JSON, the images as data/heldout/JPEGImages, and `val_dataloader.dataset.data_root=data/heldout`.
"""

_base_ = ["../detectors/_youtube_vis_training.py"]

from detectors.config_parts import box_head, mask_heads, stage_training

# Pairs, for a config that is written sorts what has names.
class_table = [
    ("person", ["person"]),
    ("bicycle", ["bicycle"]),
    ("car", ["car"]),
    ("motorcycle", ["motorcycle"]),
    ("large vehicle", ["bus", "train", "truck"]),
    ("boat", ["boat"]),
    ("airplane", ["airplane"]),
    ("cat", ["cat"]),
    ("dog", ["dog"]),
    ("horse", ["horse"]),
    ("animal", ["bird", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"]),
    ("object", ["..."]),
]
classes = tuple(name for name, _ in class_table)
num_classes = len(classes)
channels = 64
size = 384
norm = dict(type="BN", requires_grad=True)

model = dict(
    type="MixedPrecisionHTC",
    data_preprocessor=dict(mean=[127.0, 127.0, 127.0], std=[128.0, 128.0, 128.0], bgr_to_rgb=True, pad_size_divisor=32),
    backbone=dict(_delete_=True, type="EfficientNetLite0Backbone", levels=(3, 4, 5), frozen_stages=1),
    neck=dict(in_channels=[40, 112, 320], out_channels=channels, num_outs=5, norm_cfg=norm),
    rpn_head=dict(
        type="PartlyLabelledRPNHead",
        in_channels=channels,
        feat_channels=channels,
        anchor_generator=dict(scales=[3, 4.5], ratios=[0.5, 1.0, 2.0], strides=[8, 16, 32, 64, 128]),
    ),
    roi_head=dict(
        type="PartlyLabelledRoIHead",
        stage_loss_weights=[1.0, 0.5, 0.25],
        bbox_roi_extractor=dict(roi_layer=dict(sampling_ratio=1), out_channels=channels, featmap_strides=[8, 16, 32], finest_scale=56),
        bbox_head=[
            box_head(num_classes, channels, 320, (0.1 * s, 0.2 * s), "PartlyLabelledBBoxHead", box_weight=2.0)
            for s in (1.0, 0.5, 0.33)
        ],
        mask_roi_extractor=dict(roi_layer=dict(sampling_ratio=1), out_channels=channels, featmap_strides=[8, 16, 32], finest_scale=112),
        mask_head=mask_heads(num_classes, channels, 2, class_agnostic=True),
    ),
    train_cfg=dict(
        rpn=dict(assigner=dict(ignore_iof_thr=0.5), sampler=dict(num=128, pos_fraction=0.5), allowed_border=-1),
        rpn_proposal=dict(nms_pre=300, max_per_img=200),
        rcnn=[stage_training(iou, match_low_quality=False, ignore_iof_thr=0.5) for iou in (0.5, 0.6, 0.7)],
    ),
    test_cfg=dict(rpn=dict(nms_pre=300, max_per_img=128), rcnn=dict(score_thr=0.05, max_per_img=50)),
)

_coco = "data/coco_more"
_masks = "data/more_masks"
train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    persistent_workers=True,
    prefetch_factor=6,
    dataset=dict(
        _delete_=True,
        type="PhotographScenes",
        classes=class_table,
        scene=dict(size=size, long_side=(300.0, 720.0)),
        paste_classes={"person": 3.0, "horse": 0.4, "airplane": 0.3, "boat": 0.6, "dog": 0.8, "animal": 1.5, "object": 0.6},
        sources=[
            dict(annotations=f"{_coco}/general/instances.json", images=f"{_coco}/general/images", without_every=7, weight=0.38),
            dict(annotations="data/coco_sample/instances.json", images="data/coco_sample/images", weight=0.12),
            dict(
                annotations=f"{_coco}/street/instances.json",
                images=f"{_coco}/street/images",
                labelled=["person", "bicycle", "car", "motorcycle"],
                weight=0.13,
            ),
            dict(annotations=f"{_coco}/person/instances.json", images=f"{_coco}/person/images", labelled=[], weight=0.2),
            dict(annotations=f"{_masks}/street_fashion/instances.json", images=f"{_masks}/street_fashion/images", labelled=[], weight=0.06),
            dict(annotations=f"{_masks}/feral_cats/instances.json", images=f"{_masks}/feral_cats/images", labelled=["cat"], weight=0.06),
            dict(
                annotations="data/davis.json",
                images="data/davis",
                kind="split",
                labelled=[],
                every=4,
                folders={
                    "bear": "bear", "boat": "boat", "breakdance-flare": "person", "bus": "bus", "dance-jump": "person",
                    "dog-agility": "dog", "drift-turn": "car", "flamingo": "bird", "hike": "person", "lucia": "person",
                    "mallard-fly": "bird", "rollerblade": "person",
                },
                weight=0.05,
            ),
        ],
    ),
)
# Frames are fitted into this size.
test_pipeline = [
    dict(type="LoadFrame"),
    dict(type="Resize", scale=(512, 512), keep_ratio=True),
    dict(type="PackDetInputs", meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor")),
]
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(classes=classes, pipeline=test_pipeline, every_n_frames=1),
)

# The rate stays up for as long as there is time; `htc_lite_real_end` then lets it fall. What is validated and written
# is the moving average of the weights.
max_iters = 20000
warmup_iters = 200
train_cfg = dict(max_iters=max_iters, val_interval=400)
optim_wrapper = dict(
    optimizer=dict(type="AdamW", lr=1.5e-3, betas=(0.9, 0.99), weight_decay=0.02),
    paramwise_cfg=dict(custom_keys={"backbone": dict(lr_mult=0.1)}, norm_decay_mult=0.0),
    clip_grad=dict(max_norm=10.0, norm_type=2),
)
param_scheduler = [dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=warmup_iters)]
randomness = dict(seed=12)
default_hooks = dict(checkpoint=dict(interval=100))
custom_hooks = [
    dict(type="LossRecord", interval=20),
    dict(type="ValidationRecord", save_best="frame/AP50"),
    # After the validation's record and before the checkpoint, so that both have the average.
    dict(type="EMAHook", ema_type="ExpMomentumEMA", momentum=0.002, gamma=400, priority=80),
]
init_backbone = "data/efficientnet-lite0-57934424.pth"
