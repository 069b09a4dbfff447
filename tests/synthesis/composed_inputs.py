"""Small inputs for composed videos: photographs with annotated squares, sprites, and folders of backgrounds."""

import json
from pathlib import Path

import cv2
import numpy as np

BLUE, GREEN, RED = (200, 30, 20), (30, 200, 20), (20, 30, 200)
HEIGHT, WIDTH = 96, 128


def square_mask(left, top, side, height=HEIGHT, width=WIDTH):
    mask = np.zeros((height, width), dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


def runs(mask):
    """Uncompressed COCO run lengths, counted literally."""
    counts, value = [], 0
    for pixel in mask.T.ravel().astype(int):
        if not counts or pixel != value:
            if not counts and pixel == 1:
                counts.append(0)
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return {"size": list(mask.shape), "counts": counts}


def write_image(path: Path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def write_coco(folder: Path, squares, category_ids=(7,), iscrowd=0, colour=GREEN, ground=BLUE):
    """One PNG for each of the `squares` (left, top, side), its class in turn; gives the JSON and the images' folder."""
    images, annotations = [], []
    for number, square in enumerate(squares, start=1):
        mask = square_mask(*square)
        image = np.full((HEIGHT, WIDTH, 3), ground, np.uint8)
        image[mask] = colour
        write_image(folder / f"images/{number}.png", image)
        images.append({"id": number, "file_name": f"{number}.png", "width": WIDTH, "height": HEIGHT})
        annotations.append(
            {
                "id": number,
                "image_id": number,
                "category_id": category_ids[number % len(category_ids)],
                "segmentation": runs(mask),
                "iscrowd": iscrowd,
            }
        )
    categories = [{"id": identifier, "name": f"class{identifier}"} for identifier in sorted({*category_ids, 90})]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "coco.json").write_text(json.dumps(content))
    return folder / "coco.json", folder / "images"


def write_backgrounds(folder: Path, count=2, colour=BLUE, name="{}.png"):
    for number in range(count):
        write_image(folder / name.format(number), np.full((HEIGHT, WIDTH, 3), colour, np.uint8))
    return folder


def write_sprite(path: Path, side=40):
    """A green disc on a transparent ground."""
    image = np.zeros((side, side, 4), np.uint8)
    cv2.circle(image, (side // 2, side // 2), side // 2 - 4, (*GREEN, 255), -1)
    write_image(path, image)
    return path
