"""vis-pipeline train detector htc_lite_real_end --work-dir work_dirs/htc_lite_real_end

The end of the training of `htc_lite_real`: from its weights, the rate falls to nothing."""

_base_ = ["./htc_lite_real.py"]

init_weights = "work_dirs/htc_lite_real/detector.safetensors"
init_backbone = None

max_iters = 1000
warmup_iters = 50
train_cfg = dict(max_iters=max_iters, val_interval=250)
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
randomness = dict(seed=13)
custom_hooks = [dict(type="LossRecord", interval=20), dict(type="ValidationRecord", save_best="frame/AP50")]
