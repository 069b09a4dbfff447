"""vis-pipeline train detector htc_lite_real_end --work-dir work_dirs/htc_lite_real_end

Ended the training of `bundled:htc_lite_real`: from the weights of `htc_lite_real` after 800 steps, on one CPU core, the rate
falls to nothing. Three levels of the trunk and all its depthwise convolutions stay as they are, which saves half the time."""

_base_ = ["./htc_lite_real.py"]

from detectors.config_parts import warm_cosine

init_weights = "work_dirs/htc_lite_real/best.safetensors"
init_backbone = None

model = dict(train_dtype="bfloat16", backbone=dict(frozen_stages=3, frozen_depthwise=True))
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    persistent_workers=False,
    prefetch_factor=None,
    dataset=dict(scene=dict(size=352, long_side=(300.0, 700.0))),
)
max_iters = 1900
warmup_iters = 60
train_cfg = dict(max_iters=max_iters, val_interval=475)
optim_wrapper = dict(optimizer=dict(lr=8e-4))
param_scheduler = warm_cosine(max_iters, warmup_iters)
randomness = dict(seed=13)
custom_hooks = [dict(type="LossRecord", interval=20), dict(type="ValidationRecord", save_best="frame/AP50")]
