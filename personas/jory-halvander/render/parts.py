"""Eyes, teeth and the sweater; and where the skin is redder, darker, bearded or shinier."""

import math

import bmesh
import bpy
import numpy as np
from materials import eye, plain, wool
from mesh import BODY, LEFT_EYE, LOWER_TEETH, RIGHT_EYE, UPPER_TEETH, add_mesh, metres, smooth, vertex_normals


def paint(thing, points, eyes):
    """Weights on the skin's vertices: redder, darker, bearded, shinier places and the forehead."""
    count = len(thing.data.vertices)
    p = points[:count]
    eye = np.abs(eyes[0])
    x = np.abs(p[:, 0])

    def spot(cx, cy, rx, ry, front=0.4):
        return np.exp(-(((x - cx) / rx) ** 2) - (((p[:, 1] - cy) / ry) ** 2)) * (p[:, 2] > front)

    nose_y = eye[1] - 0.42
    fields = {
        "red": np.clip(
            spot(0, nose_y, 0.2, 0.14, 1.1) * 0.8
            + spot(0.48, nose_y - 0.02, 0.2, 0.2) * 0.65
            + smooth(x, 0.70, 0.80) * (p[:, 1] > 6.3) * 0.7
            + spot(0, 6.2, 0.2, 0.12) * 0.3,
            0,
            1,
        ),
        "dark": np.clip(
            spot(eye[0], eye[1] - 0.14, 0.2, 0.07) * 0.9 + spot(eye[0] - 0.13, eye[1] + 0.05, 0.08, 0.12) * 0.6, 0, 1
        ),
        "beard": smooth(-p[:, 1], -(nose_y - 0.02 - 0.32 * (x < 0.0)), -(nose_y - 0.22))
        * smooth(p[:, 2], 0.0, 0.25)
        * (p[:, 1] > 5.6)
        * (1 - spot(0.42, nose_y - 0.08, 0.2, 0.17))
        * smooth(p[:, 1], 5.75, 6.0),
        "shine": np.clip(spot(0, nose_y, 0.12, 0.25, 1.1) + spot(0, eye[1] + 0.6, 0.4, 0.25), 0, 1),
        "brow": smooth(p[:, 1], eye[1] + 0.35, eye[1] + 0.5) * (1 - smooth(p[:, 1], eye[1] + 0.8, eye[1] + 0.95)),
    }
    for name, values in fields.items():
        layer = thing.data.attributes.new(name, "FLOAT", "POINT")
        layer.data.foreach_set("value", np.asarray(values, np.float32))


def add_eyes(points):
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
    enamel = plain(
        "enamel", (0.86, 0.80, 0.69, 1), 0.22, Subsurface_Weight=0.5, Subsurface_Scale=0.002, Coat_Weight=0.4
    )
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
                thing.location = metres(at + np.array([0, up * (high - 0.012 * (number == 1)), 0]))
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
                    flesh.location = metres(at + np.array([0, up * (2.1 * high + 0.03), -0.02]))
                    flesh.scale = [0.0062, 0.0042, 0.0075]
                    bpy.context.scene.collection.objects.link(flesh)


def add_sweater(points, faces):
    """A roll-neck: the body's own surface pushed out, and a turned collar around the neck."""
    material = wool()
    mesh_normals = vertex_normals(points, faces)
    neck = points[points_of_neck(points)]
    low = 5.55
    chosen = [
        f
        for f in faces
        if max(points[i][1] for i in f) < low + 0.55
        and min(points[i][1] for i in f) > 1.2
        and max(abs(points[i][0]) for i in f) < 3.2
    ]
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
    profile = [
        (-0.10, 0.10),
        (0.15, 0.075),
        (0.42, 0.07),
        (0.50, 0.085),
        (0.535, 0.12),
        (0.52, 0.16),
        (0.46, 0.185),
        (0.3, 0.2),
        (0.1, 0.215),
        (-0.02, 0.22),
        (-0.05, 0.2),
        (-0.04, 0.15),
    ]
    for height, out in profile:
        tilt = 0.16 * np.cos(theta)  # lower in front
        wobble = 0.012 * np.sin(3 * theta + 1) + 0.008 * np.sin(7 * theta)
        rows.append(
            np.stack(
                [
                    centre_x + (half_x + out + wobble) * np.sin(theta),
                    low + height - tilt + 0.01 * np.sin(5 * theta),
                    centre_z - 0.1 * height + (half_z + out + wobble) * np.cos(theta),
                ],
                1,
            )
        )
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
