#!/usr/bin/env python3
"""Draws the icons of the extension and of its tasks: a shield with a tree of three policies.

Written without any library, so that a change of the drawing is a change of this file:

    python3 azure-devops/images/icon.py
"""

import pathlib
import struct
import zlib

BLUE, DARK, WHITE = (0, 98, 177), (0, 64, 122), (255, 255, 255)
SAMPLES = 4  # per axis and pixel, for smooth edges


def shield(x, y):
    """Whether a point of the unit square lies in the shield."""
    half = abs(x - 0.5)
    if y < 0.08 or y > 0.95:
        return False
    if y < 0.5:
        return half < 0.40
    return half < 0.40 * (1 - ((y - 0.5) / 0.45) ** 2) ** 0.5


def disc(x, y, cx, cy, radius):
    return (x - cx) ** 2 + (y - cy) ** 2 < radius**2


def segment(x, y, ax, ay, bx, by, width):
    dx, dy = bx - ax, by - ay
    t = max(0.0, min(1.0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)))
    return (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2 < (width / 2) ** 2


ROOT, HEIRS = (0.5, 0.30), ((0.30, 0.60), (0.70, 0.60))


def colour(x, y):
    """The colour of a point, or nothing outside of the shield."""
    if not shield(x, y):
        return None
    if disc(x, y, *ROOT, 0.095) or any(disc(x, y, *heir, 0.085) for heir in HEIRS):
        return WHITE
    if any(segment(x, y, *ROOT, *heir, 0.05) for heir in HEIRS):
        return WHITE
    return BLUE if x < 0.5 else DARK


def pixel(px, py, size):
    hits = []
    for sy in range(SAMPLES):
        for sx in range(SAMPLES):
            point = (px + (sx + 0.5) / SAMPLES) / size, (py + (sy + 0.5) / SAMPLES) / size
            found = colour(*point)
            if found:
                hits.append(found)
    if not hits:
        return (0, 0, 0, 0)
    mean = (round(sum(channel) / len(hits)) for channel in zip(*hits))
    return (*mean, round(255 * len(hits) / SAMPLES**2))


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(size):
    rows = bytearray()
    for py in range(size):
        rows.append(0)
        for px in range(size):
            rows.extend(pixel(px, py, size))
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(rows), 9)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent
    (folder / "extension.png").write_bytes(png(128))
    (folder / "task.png").write_bytes(png(32))
