"""Hair, brows and lashes as curves."""

import bpy
import numpy as np
from materials import hair_material
from mesh import BODY, metres, smooth

RNG = np.random.default_rng(1949)


def sample(points, triangles, density, count):
    """`count` places on the triangles, as likely as area times `density` of their corners: place, normal, density."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    area = np.linalg.norm(normal, axis=1)
    chance = area * density[triangles].mean(1)
    chosen = RNG.choice(len(triangles), count, p=chance / chance.sum())
    u, v = RNG.random((2, count))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    place = a[chosen] + u[:, None] * (b - a)[chosen] + v[:, None] * (c - a)[chosen]
    return place, (normal / np.maximum(area, 1e-9)[:, None])[chosen]


def strands(roots, normals, flow, length, stand, steps=7):
    """Curves [n,steps,3]: they leave along the normal and bend into `flow`; `stand` is how upright they stay."""
    flow = flow - normals * (flow * normals).sum(1, keepdims=True)
    flow /= np.maximum(np.linalg.norm(flow, axis=1, keepdims=True), 1e-9)
    t = np.linspace(0, 1, steps)[None, :, None]
    length = length[:, None, None]
    lift = stand[:, None, None] * (t - 0.35 * t**2)
    return roots[:, None] + length * (normals[:, None] * lift + flow[:, None] * (t * (1 - stand[:, None, None] * 0.6)))


def add_hair(name, curves, root_radius, material):
    count, steps, _ = curves.shape
    data = bpy.data.hair_curves.new(name)
    data.add_curves([steps] * count)
    data.points.foreach_set("position", metres(curves).astype(np.float32).ravel())
    thin = np.tile(np.linspace(1, 0.25, steps), count) * root_radius
    data.points.foreach_set("radius", thin.astype(np.float32))
    thing = bpy.data.objects.new(name, data)
    data.materials.append(material)
    bpy.context.scene.collection.objects.link(thing)


def scalp_density(p, centre):
    """How thick hair grows at points `p`: hairline by the direction seen from the middle of the skull."""
    d = p - centre
    around = np.degrees(np.arctan2(np.abs(d[:, 0]), d[:, 2]))  # 0 front, 90 ear, 180 nape
    up = np.degrees(np.arctan2(d[:, 1], np.hypot(d[:, 0], d[:, 2])))
    line = np.interp(
        around, [0, 18, 34, 48, 58, 66, 76, 88, 102, 120, 150, 180], [38, 39, 42, 35, 20, 2, -6, 13, 5, -22, -33, -36]
    )
    wave = 1.6 * np.sin(p[:, 0] * 21) + 1.1 * np.sin(p[:, 0] * 47 + 1)
    return smooth(up, line - 3 + wave, line + 6 + wave), around, up


def add_scalp_hair(points, triangles, centre, ear):
    density, *_ = scalp_density(points, centre)
    density[BODY:] = 0
    density[points[:, 1] < centre[1] - 1.3] = 0
    density[np.abs(points[:, 0]) > ear] = 0
    roots, normals = sample(points, triangles, density, 90000)
    thick, _, up = scalp_density(roots, centre)
    top = smooth(up, 15, 52)
    flow = np.stack([0.55 + 0 * up, 0.25 * top - 0.75 * (1 - top), -0.55 - 0.5 * (1 - top)], 1)
    flow[:, 0] = np.where(top > 0.5, 0.45, -0.1 * np.sign(roots[:, 0]))
    flow += RNG.normal(0, 0.32, flow.shape)
    clump = np.sin(roots @ np.array([9.0, 5.0, 7.0])) * 0.25
    flow[:, 0] += clump
    length = (0.07 + 0.2 * top) * RNG.uniform(0.6, 1.1, len(roots)) * (0.35 + 0.65 * thick)
    stand = 0.62 - 0.12 * top + RNG.normal(0, 0.1, len(roots))
    add_hair("scalp", strands(roots, normals, flow, length, stand), 0.00009, hair_material("hair", 0.82, 0.3))


def add_brows(points, triangles, eyes):
    near = np.zeros(len(points))
    for eye_centre in eyes:
        across = np.sign(eye_centre[0]) * points[:, 0]
        middle = np.abs(eye_centre[0])
        arch = eye_centre[1] + 0.225 + 0.045 * (1 - ((across - middle - 0.03) / 0.26) ** 2)
        inside = np.exp(-(((points[:, 1] - arch) / 0.13) ** 2)) * (np.abs(across - middle) < 0.45)
        near = np.maximum(near, inside * (points[:, 2] > eye_centre[2] - 0.3))
    near[BODY:] = 0
    roots, normals = sample(points, triangles, near, 11000)
    side = np.sign(roots[:, 0])
    middle = np.abs(eyes[0][0])
    t = (np.abs(roots[:, 0]) - (middle - 0.21)) / 0.50
    arch = eyes[0][1] + 0.2 + 0.05 * (1 - ((np.abs(roots[:, 0]) - middle - 0.05) / 0.26) ** 2)
    wide = np.interp(t, [0, 0.2, 0.6, 1], [0.042, 0.055, 0.045, 0.016])
    keep = (t > 0) & (t < 1) & (np.abs(roots[:, 1] - arch) < wide * RNG.uniform(0.3, 1.15, len(t)))
    keep &= RNG.random(len(t)) < np.interp(t, [0, 0.12, 1], [0.35, 1, 0.8])
    roots, normals, side, t = roots[keep], normals[keep], side[keep], t[keep]
    flow = np.stack(
        [side * np.interp(t, [0, 0.4, 1], [0.5, 1, 1]), np.interp(t, [0, 0.35, 1], [1.0, 0.25, -0.35]), -0.2 + 0 * t], 1
    )
    flow += RNG.normal(0, 0.18, flow.shape)
    length = RNG.uniform(0.055, 0.095, len(t))
    add_hair(
        "brows",
        strands(roots, normals, flow, length, np.full(len(t), 0.32)),
        0.000055,
        hair_material("brow", 0.72, 0.3),
    )


def add_lashes(points, eyes):
    """Upper lashes, along the edge that the mesh keeps for them."""
    count = 170
    for first, eye_centre in zip((14742, 14867), eyes, strict=True):
        lid = points[first : first + 9]
        lid = lid[np.argsort(lid[:, 0])]
        at = RNG.uniform(0.04, 0.96, count) * (len(lid) - 1)
        low = at.astype(int)
        roots = lid[low] + (at - low)[:, None] * (lid[low + 1] - lid[low])
        out = roots - eye_centre
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        flow = np.stack([0.4 * out[:, 0], np.full(count, 0.9), np.full(count, 0.35)], 1)
        flow += RNG.normal(0, 0.12, (count, 3))
        length = RNG.uniform(0.6, 1.1, count) * 0.075
        curves = strands(roots, out, flow, length, np.full(count, 0.75))
        add_hair("lashes", curves, 0.00004, hair_material("lash", 0.95, 0.0))
