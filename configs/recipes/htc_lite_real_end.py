"""vis-pipeline train detector htc_lite_real_end --work-dir work_dirs/htc_lite_real_end

The end of the training of `htc_lite_real`: from its weights, the rate falls to nothing."""

_base_ = ["./htc_lite_real.py"]

from detectors.config_parts import warm_cosine

init_weights = "work_dirs/htc_lite_real/detector.safetensors"
init_backbone = None

max_iters = 1000
warmup_iters = 50
train_cfg = dict(max_iters=max_iters, val_interval=250)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = warm_cosine(max_iters, warmup_iters)
randomness = dict(seed=13)
custom_hooks = [dict(type="LossRecord", interval=20), dict(type="ValidationRecord", save_best="frame/AP50")]
