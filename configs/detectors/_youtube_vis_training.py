"""What every training of an HTC on a YouTube-VIS split shares: data, loops, hooks, and the keys of `train detector`.

A config that inherits this sets its model, pipelines, batch, optimizer and schedule.

The data: `--cfg-options train_dataloader.dataset.data_root=DIR`, with DIR/instances.json and DIR/JPEGImages. To validate
as it trains: `val_dataloader.dataset.data_root=DIR`, after every `train_cfg.val_interval` steps, on one in
`val_dataloader.dataset.every_n_frames` frames; the figure is the mask AP of single frames.
"""

_base_ = ["mmdet::htc/htc-without-semantic_r50_fpn_1x_coco.py"]

train_dataloader = dict(
    _delete_=True,
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="SeededFrames"),
    dataset=dict(
        type="YouTubeVisFrames",
        data_root="",
        ann_file="instances.json",
        data_prefix=dict(img="JPEGImages"),
        every_n_frames=1,
    ),
)
val_dataloader = dict(
    _delete_=True,
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="YouTubeVisFrames",
        data_root="",
        ann_file="instances.json",
        data_prefix=dict(img="JPEGImages"),
        test_mode=True,
        every_n_frames=5,
    ),
)
val_evaluator = dict(_delete_=True, type="vis_pipeline.FrameAP")
val_cfg = dict(_delete_=True, type="ValLoop")
test_dataloader = None
test_evaluator = None
test_cfg = None

train_cfg = dict(_delete_=True, type="IterBasedTrainLoop", max_iters=60000, val_interval=2000)
optim_wrapper = dict(_delete_=True, type="OptimWrapper")
param_scheduler = []
randomness = dict(seed=0)
log_processor = dict(_delete_=True, type="LogProcessor", window_size=50, by_epoch=False)
default_hooks = dict(
    _delete_=True,
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=100),
    param_scheduler=dict(type="ParamSchedulerHook"),
    checkpoint=dict(type="Checkpoints", interval=2000, max_keep_ckpts=3),
)
custom_hooks = [dict(type="LossRecord", interval=50), dict(type="ValidationRecord", save_best="frame/AP")]

# Weights to start from, a file or a name of `vis-pipeline weights list`: a detector's (classes are matched by name), or
# a ResNet's that learned on images, for the backbone.
init_weights = None
init_backbone = None
# float16 on CUDA.
amp = False
# TensorBoard's logs beside the others.
tensorboard = False
