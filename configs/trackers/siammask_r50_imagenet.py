"""SiamMask with ResNet-50 from ImageNet weights in a quarter of an hour of a large GPU: all branches and both stages.

1.07 million pairs with AdamW; then `siammask_r50_imagenet_refine`. Put a ResNet-50 into data/, or override `init.path`.
"""

_base_ = ["./siammask_r50.py"]

init = dict(type="backbone", path="data/resnet50-0676ba61.pth")
augment = dict(refine_shift=0.2, refine_scale=(0.75, 1.4))
learning = dict(backbone=dict(layer2=0.05, layer3=0.05), backbone_rate=0.1, backbone_statistics="measured")
schedule = dict(steps=4200, batch=256, learning_rate=1e-3, warm_up=150, clip=20.0, freeze_norm_at=0.6)
