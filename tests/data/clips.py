"""Video files for the tests that read them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

HEIGHT, WIDTH = 48, 64
GREYS = [np.full((HEIGHT, WIDTH, 3), 10 * index, dtype=np.uint8) for index in range(20)]


def write_clip(path, images=GREYS, codec="libx264", times=None, ratio=None, cover=None, options=None, pixels="yuv420p"):
    """Write images, BGR, at ten frames a second or at `times`, with a `cover` in front if there is one."""
    with av.open(str(path), "w") as container:
        if cover is not None:
            art = container.add_stream("mjpeg", rate=1)
            art.width, art.height, art.pix_fmt = 32, 32, "yuvj420p"
            art.disposition = av.stream.Disposition.attached_pic
        stream = container.add_stream(codec, rate=10, options=options or {})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixels
        if ratio is not None:
            stream.codec_context.sample_aspect_ratio = ratio
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if cover is not None:
            container.mux(art.encode(av.VideoFrame.from_ndarray(cover, format="bgr24")))
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            if times is not None:
                frame.time_base, frame.pts = Fraction(1, 1000), round(1000 * times[number])
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def set_matrix(path: Path, rows) -> None:
    """Put a display matrix into the head of an mp4's first track; `rows` is a, b, c, d."""
    a, b, c, d = rows
    matrix = np.array([[a, b, 0], [c, d, 0], [0, 0, 1]]) * [2**16, 2**16, 2**30]
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 44
    data[place : place + 36] = matrix.astype(">i4").tobytes()
    path.write_bytes(data)


def set_orientation(path: Path, orientation: int) -> None:
    """Put an EXIF orientation, 1 to 8, into a JPEG."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0%c\0\0\0\0\0\0\0" % orientation
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
