"""Light, camera, background, and the picture taken."""

from pathlib import Path

import bpy
import mathutils
from materials import Material
from mesh import metres


def light(name, place, target, size, watts, colour=(1, 1, 1)):
    data = bpy.data.lights.new(name, "AREA")
    data.shape, data.size, data.energy, data.color = "DISK", size, watts, colour
    thing = bpy.data.objects.new(name, data)
    thing.location = place
    look(thing, target)
    bpy.context.scene.collection.objects.link(thing)


def look(thing, target):
    thing.rotation_euler = (mathutils.Vector(target) - thing.location).to_track_quat("-Z", "Y").to_euler()


def stage(eyes):
    scene = bpy.context.scene
    face = metres((eyes[0] + eyes[1]) / 2 - [0, 0.25, 0])
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.lens, camera.data.sensor_width = 85, 36
    camera.location = (face[0], face[1] - 0.84, face[2] + 0.01)
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
    mesh.from_pydata(
        [(x - 4, y + 1.6, z - 4), (x + 4, y + 1.6, z - 4), (x + 4, y + 1.6, z + 4), (x - 4, y + 1.6, z + 4)],
        [],
        [[0, 1, 2, 3]],
    )
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
