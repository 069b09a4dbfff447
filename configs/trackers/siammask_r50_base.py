"""SiamMask with ResNet-50, base stage, as the official release trains it: score, box and mask on the 63x63 head.

From ImageNet weights; 20 epochs of 600,000 pairs. Put YouTube-VIS 2021, COCO 2017 and a ResNet-50 into data/, or
override `sources` and `init.path`. The refinement stage follows: `siammask_r50_refine`.
"""

architecture = "resnet50_no_refine"
seed = 0
device = None
precision = "bfloat16"
init = dict(type="backbone", path="data/resnet50-0676ba61.pth")
sources = [
    dict(split="data/youtube_vis_2021/train.json", frames="data/youtube_vis_2021/train/JPEGImages", weight=2.0),
    dict(type="coco", instances="data/coco/annotations/instances_train2017.json", images="data/coco/train2017",
         weight=1.0),
]
pairs = dict(max_gap=20, negatives=0.2, cache_gigabytes=48)
augment = dict(exemplar_shift=4.0, exemplar_scale=0.05, search_shift=64.0, search_scale=0.18, grey=0.25, blur=0.18,
               flip=0.5, refine_shift=0.2, refine_scale=(0.75, 1.4))
labels = dict(positive_iou=0.6, negative_iou=0.3, positives=16, samples=64, masks=16, negative_reach=3)
# The release has no second stage: without it, second_stage=0.0.
losses = dict(score=1.0, box=1.2, mask=36.0, second_stage=36.0)
learning = dict(backbone=dict(layer2=0.5, layer3=0.5), backbone_rate=0.1, backbone_statistics="measured")
schedule = dict(type="sgd", steps=187500, batch=64, start_rate=1e-3, learning_rate=5e-3, final_rate=2.5e-3, epochs=20,
                warm_up_epochs=5, momentum=0.9, weight_decay=1e-4, clip=10.0, freeze_norm_at=1.0)
checkpoint_every = 1000
log_every = 50
