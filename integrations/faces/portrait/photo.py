"""A file somebody gave us, made into pixels: orientation, transparency, and refusal of what is no picture."""

import struct
from pathlib import Path

import cv2
import numpy as np

from bot.errors import BadInput
from bot.media import Pixels

MAX_BYTES = 40_000_000
MAX_PIXELS = 60_000_000
_LONGEST = 2400
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def load_photo(path: Path) -> Pixels:
    """The picture, upright, uint8[h, w, 3] BGR, at most 2400 pixels long.

    Turned as its EXIF says; what is transparent becomes a quiet grey. Raises BadInput for anything that is not a
    JPEG, PNG or WebP picture of sensible size: sizes are read from the header before a pixel is unpacked.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or 'cannot be read'}.") from None
    if not data:
        raise BadInput(f"{path.name}: the file is empty or larger than {MAX_BYTES // 1_000_000} MB.")
    size = _size(data)
    if size is None:
        raise BadInput(f"{path.name} is not a picture I can read; give a JPEG, PNG or WebP photo.")
    if size[0] * size[1] > MAX_PIXELS:
        raise BadInput(f"{path.name} has {size[0]} x {size[1]} pixels; give one of at most 60 megapixels.")
    picture = _decoded(data)
    if picture is None:
        raise BadInput(f"{path.name} is damaged and cannot be read.")
    longest = max(picture.shape[:2])
    if longest > _LONGEST:
        scale = _LONGEST / longest
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    return picture


def _decoded(data: bytes) -> Pixels | None:
    raw = np.frombuffer(data, np.uint8)
    try:
        whole = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED)
        if whole is not None and whole.ndim == 3 and whole.shape[2] == 4:
            if whole.dtype == np.uint16:
                whole = (whole // 257).astype(np.uint8)
            cover = whole[..., 3:].astype(np.float32) / 255
            return np.asarray(whole[..., :3] * cover + 120 * (1 - cover), np.uint8)
        picture = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if picture is None else np.asarray(picture, np.uint8)


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the header, or None when this is no JPEG, PNG or WebP."""
    try:
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            width, height = struct.unpack(">II", data[16:24])
            return width, height
        if data[:2] == b"\xff\xd8":
            return _jpeg_size(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp_size(data)
    except (struct.error, IndexError):
        return None
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            at += 1
        elif data[at + 1] in _START_OF_FRAME:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        elif data[at + 1] in (0xFF, 0x00, 0x01) or 0xD0 <= data[at + 1] <= 0xD8:
            at += 1 if data[at + 1] == 0xFF else 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None
