"""YouTube-VIS 2021 with published weights: COCO's HTC X-101-64x4d-DCN through a class map, SiamMask as released.

Both checkpoints come by `vis-pipeline weights fetch`; classes that COCO lacks are never found.
"""

detector = dict(
    type="mmdet",
    config="detectors/htc_x101_64x4d_dcn_coco",
    checkpoint="htc_x101-64x4d-dconv-c3-c5_fpn_ms-400-1400-16xb1-20e_coco",
    class_map="coco-to-ytvis2021",
)
tracker = dict(type="siammask", checkpoint="SiamMask_DAVIS", preset="davis", stages=2)
# Its videos were parted into shots before they were annotated, and every fifth frame of a wild one may look like a cut.
tracking = dict(shots=dict(cut_likeness=0))
