"""From a photo to an enrolled face, or a sentence that says which photo would do."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bot.errors import BadInput
from bot.media import Pixels
from integrations.faces.portrait import eyes, mesh, mouth, rig
from integrations.faces.portrait.enrolled import Enrolled
from integrations.faces.portrait.fill import membrane
from integrations.faces.portrait.landmarks import Landmarker, Models, Points, turn
from integrations.faces.portrait.mesh import SIDE, Floats
from integrations.faces.portrait.photo import load_photo
from integrations.faces.portrait.teeth import lift_teeth

MIN_FACE = 170
"""Hairline to chin in the photo, in pixels. Below, the enlarged face is visibly soft."""
MAX_TURN = 15.0
_HEAD_ROOM = 2.2


def enrol(photo: Path, smile: Path | None, models: Models) -> Enrolled:
    """Enrol the person in `photo`; `smile` (showing teeth) lends them their own teeth.

    Raises BadInput naming what is wrong with a photo and which one to take instead.
    """
    landmarker = Landmarker(models)
    picture = load_photo(photo)
    points = examine(picture, landmarker, photo.name)
    source, landmarks = _crop(picture, points)
    portrait = np.asarray(cv2.resize(source, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    person = landmarker.silhouette(portrait)
    cover = _cover(person)
    lips = mesh.find_lips(landmarks, portrait)
    right, left = _make_eyes(source, landmarks, landmarker)
    look = mouth.look_of(portrait, landmarks, lips, _sclera(source, right, left))
    if smile is not None:
        laughing = load_photo(smile)
        look = lift_teeth(laughing, examine(laughing, landmarker, smile.name), look, portrait, landmarks, smile.name)
    elif lips.gap > 0.09 * lips.width:
        look = lift_teeth(portrait, landmarks, look, portrait, landmarks, None)
    if lips.gap > 0:
        source = _emptied(source, lips)
    return _assemble(source, _plate(portrait, person), cover, landmarks, lips, right, left, look)


def examine(picture: Pixels, landmarker: Landmarker, name: str) -> Points:
    """The 468 points of the one face in the picture. Raises BadInput when a face cannot be filmed from it."""
    faces = landmarker.faces(picture)
    if not faces:
        raise BadInput(f"{name}: I find no face. Take a photo from the front, eyes and mouth uncovered, in even light.")
    others = [
        face for face in faces[1:] if face.box[2] > 0.35 * faces[0].box[2] and landmarker.mesh(picture, face)[1] > 0.8
    ]
    if others:
        raise BadInput(f"{name}: I see {1 + len(others)} faces. Take a photo with one person, or cut the others off.")
    largest = max(faces, key=lambda face: face.box[2])
    points, score = landmarker.mesh(picture, largest)
    if score < 0.5:
        raise BadInput(f"{name}: the face is partly covered or blurred. Take one with eyes and mouth uncovered.")
    _check_size(points, picture, name)
    if abs(turn(points)) > MAX_TURN or _lopsided(points) > 0.36:
        raise BadInput(f"{name}: the head is turned aside. Look straight into the camera (15 degrees at most).")
    return points


def _check_size(points: Points, picture: Pixels, name: str) -> None:
    tall = float(np.hypot(*(points[152, :2] - points[10, :2])))
    if tall < MIN_FACE:
        raise BadInput(
            f"{name}: the face is only {tall:.0f} pixels high; at least {MIN_FACE} are needed. Come closer to the"
            " camera, or send the original instead of a thumbnail."
        )
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    if (low < -2).any() or high[0] > picture.shape[1] + 2 or high[1] > picture.shape[0] + 2:
        raise BadInput(f"{name}: the face is cut off at the picture's edge. Leave some room around the head.")


def _lopsided(points: Points) -> float:
    """How unevenly the nose divides the face: 0 frontal, 1 in profile. Needs no depth."""
    right = float(np.hypot(*(points[1, :2] - points[234, :2])))
    left = float(np.hypot(*(points[1, :2] - points[454, :2])))
    return abs(right - left) / (right + left)


def _crop(picture: Pixels, points: Points) -> tuple[Pixels, Floats]:
    """Head and shoulders, 1024x1024, and the landmarks in portrait pixels (512)."""
    tall = float(np.hypot(*(points[152, :2] - points[10, :2])))
    side = min(_HEAD_ROOM * tall, *picture.shape[:2])
    middle = float(points[[234, 454], 0].mean())
    eyes_at = float(points[[159, 386], 1].mean())
    left = float(np.clip(middle - side / 2, 0, picture.shape[1] - side))
    top = float(np.clip(eyes_at - 0.42 * side, 0, picture.shape[0] - side))
    scale = 2 * SIDE / side
    if scale < 0.8:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.45 / scale), np.uint8)
    # Pixel centres: source pixel p shows at (p + 0.5 - left) * scale - 0.5.
    matrix = np.array([[scale, 0, (0.5 - left) * scale - 0.5], [0, scale, (0.5 - top) * scale - 0.5]])
    source = cv2.warpAffine(
        picture, matrix, (2 * SIDE, 2 * SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    landmarks = points * np.float32(scale / 2)
    landmarks[:, :2] = (points[:, :2] + 0.5 - [left, top]) * scale / 2 - 0.5
    return np.asarray(source, np.uint8), np.asarray(landmarks, np.float32)


def _cover(person: Floats) -> Floats:
    """The person's cover, widened so that hair is not left behind when the head moves; 0..1, 1024x1024."""
    wide = cv2.dilate((person > 0.35).astype(np.float32), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11)))
    soft = cv2.GaussianBlur(wide, (0, 0), 3.0)
    return np.asarray(cv2.resize(soft, (2 * SIDE, 2 * SIDE), interpolation=cv2.INTER_LINEAR), np.float32)


def _plate(portrait: Pixels, person: Floats) -> Pixels:
    """What is behind the person, spread in from around them, coarse to fine."""
    keep = 1 - cv2.dilate((person > 0.12).astype(np.float32), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11)))
    levels: list[tuple[Any, Any]] = [(portrait.astype(np.float32) * keep[..., None], keep)]
    while levels[-1][1].shape[0] > 4:
        colour, weight = levels[-1]
        half = (colour.shape[1] // 2, colour.shape[0] // 2)
        levels.append(tuple(cv2.resize(each, half, interpolation=cv2.INTER_AREA) for each in (colour, weight)))
    filled = levels[-1][0] / np.maximum(levels[-1][1], 1e-3)[..., None]
    for colour, weight in reversed(levels[:-1]):
        wider = cv2.resize(filled, (colour.shape[1], colour.shape[0]), interpolation=cv2.INTER_LINEAR)
        own = np.clip(weight, 0, 1)[..., None]
        filled = colour / np.maximum(weight, 1e-3)[..., None] * own + wider * (1 - own)
    return np.asarray(np.clip(filled, 0, 255), np.uint8)


def _make_eyes(source: Pixels, landmarks: Floats, landmarker: Landmarker) -> tuple[eyes.Eye, eyes.Eye]:
    doubled = landmarks[:, :2] * 2 + 0.5
    made = []
    for upper, lower, outer, inner in (
        (eyes.RIGHT_UPPER, eyes.RIGHT_LOWER, 33, 133),
        (eyes.LEFT_UPPER, eyes.LEFT_LOWER, 263, 362),
    ):
        iris = landmarker.iris(source, doubled[outer], doubled[inner])
        made.append(eyes.make_eye(source, doubled[list(upper)], doubled[list(lower)], iris, seed=outer))
    return made[0], made[1]


def _emptied(source: Pixels, lips: mesh.Lips) -> Pixels:
    """The photo with parted lips' inside painted over in lip colour, so that no tooth sticks to a lip that moves."""
    hole: Any = np.zeros(source.shape[:2], np.uint8)
    outline = np.concatenate([lips.inner_upper, lips.inner_lower[::-1]]) * 2 + 0.5
    cv2.fillPoly(hole, [np.round(outline).astype(np.int32)], 1)
    hole = cv2.dilate(hole, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)))
    for end in (0, -1):
        corner = (lips.inner_upper[end] * 0.6 + lips.outer_upper[end] * 0.4) * 2
        cv2.circle(hole, (int(corner[0]), int(corner[1])), max(2, round(0.05 * lips.width)), 1, -1)
    low, high = np.argwhere(hole).min(0) - 4, np.argwhere(hole).max(0) + 5
    window = (slice(low[0], high[0]), slice(low[1], high[1]))
    part = source[window]
    soft = membrane(cv2.GaussianBlur(part, (0, 0), 1.0).astype(np.float64), hole[window] > 0)
    painted = source.copy()
    painted[window] = np.where(hole[window][..., None] > 0, np.clip(soft, 0, 255), part)
    return painted


def _parted(source: Pixels, lips: mesh.Lips) -> tuple[Pixels, tuple[int, int]]:
    """The mouth without the line where closed lips meet, and where it lies (left, top): for lips about to part."""
    line: Any = np.zeros(source.shape[:2], np.uint8)
    seam = np.round((lips.inner_upper + lips.inner_lower) + 0.5).astype(np.int32)
    cv2.polylines(line, [seam], False, 1, max(5, 2 * round(0.028 * lips.width) + 3))
    low, high = np.argwhere(line).min(0) - 6, np.argwhere(line).max(0) + 7
    window = (slice(low[0], high[0]), slice(low[1], high[1]))
    part = source[window]
    soft = membrane(cv2.GaussianBlur(part, (0, 0), 1.0).astype(np.float64), line[window] > 0)
    blend = cv2.GaussianBlur(line[window].astype(np.float32), (0, 0), 1.0)[..., None]
    filled = part * (1 - blend) + np.where(line[window][..., None] > 0, soft, part) * blend
    return np.asarray(np.clip(filled, 0, 255), np.uint8), (int(low[1]), int(low[0]))


def _sclera(source: Pixels, right: eyes.Eye, left: eyes.Eye) -> Floats:
    """The colour of the whites of both eyes: the brighter, paler pixels of the openings."""
    found = []
    for eye in (right, left):
        patch = source[eye.corner[1] : eye.corner[1] + eye.lid.shape[0], eye.corner[0] :][:, : eye.lid.shape[1]]
        rows = np.arange(patch.shape[0])[:, None]
        opening = (rows > eye.upper + 2) & (rows < eye.lower - 2) & (eye.inside > 0.8)
        found.append(patch[opening].reshape(-1, 3))
    pixels = np.concatenate(found).astype(np.float32)
    if len(pixels) < 20:
        return np.array([150, 155, 160], np.float32)
    light = pixels.mean(1)
    chosen = pixels[(light >= np.percentile(light, 65)) & (light <= np.percentile(light, 92))]
    return np.asarray(np.median(chosen, axis=0), np.float32)


def wears_glasses(source: Pixels, landmarks: Floats) -> bool:
    """Whether a bar crosses the bridge of the nose: brightness or colour jumps there that a bare nose does not have."""
    return _bridge(source, landmarks) > 22.0


def _bridge(source: Pixels, landmarks: Floats) -> float:
    top, bottom = landmarks[9, 1] * 2, landmarks[195, 1] * 2
    x, half = landmarks[168, 0] * 2, 0.09 * float(landmarks[263, 0] - landmarks[33, 0]) * 2
    strip = source[int(top) : int(bottom), int(x - half) : int(x + half)].astype(np.float32)
    profile = cv2.GaussianBlur(strip.mean(1), (1, 9), 1.5)
    smooth = cv2.GaussianBlur(profile, (1, 0), sigmaX=1, sigmaY=0.16 * len(profile))
    return float(np.abs(profile - smooth).max(1).max())


def _folds(landmarks: Floats) -> Pixels:
    """Where the cheeks crease, from the wings of the nose past the corners of the mouth: 0..255."""
    wide = float(np.hypot(*(landmarks[291, :2] - landmarks[61, :2])))
    drawn = np.zeros((SIDE, SIDE), np.float32)
    for wing, corner in ((129, 61), (358, 291)):
        outward = np.sign(landmarks[corner, 0] - landmarks[1, 0]) * wide
        start = landmarks[wing, :2] + [0.06 * outward, 0.02 * wide]
        end = landmarks[corner, :2] + [0.17 * outward, 0.02 * wide]
        bend = (start + end) / 2 + [0.07 * outward, -0.03 * wide]
        t = np.linspace(0, 1, 24)[:, None]
        line = start * (1 - t) ** 2 + 2 * bend * t * (1 - t) + end * t**2
        for number, (x, y) in enumerate(line):
            strength = float(np.sin(np.pi * (0.12 + 0.76 * number / 23)))
            cv2.circle(drawn, (round(x), round(y)), max(1, round(0.016 * wide)), strength, -1)
    soft = cv2.GaussianBlur(drawn, (0, 0), 0.035 * wide)
    return np.asarray(255 * soft / max(float(soft.max()), 1e-6), np.uint8)


def _assemble(
    source: Pixels, plate: Pixels, cover: Floats, landmarks: Floats, lips: mesh.Lips,
    right: eyes.Eye, left: eyes.Eye, look: mouth.Look,
) -> Enrolled:  # fmt: skip
    net = mesh.build(landmarks, lips)
    parted, parted_at = _parted(source, lips)
    tall = float(landmarks[152, 1] - landmarks[10, 1])
    chin = float(landmarks[152, 1])
    head = 1 - _smooth((net.points[:, 1] - chin + 0.02 * tall) / (0.34 * tall))
    breath = _smooth((net.points[:, 1] - chin - 0.1 * tall) / (0.4 * tall))
    outer = net.lip(1)[[0, -1]]
    upper = net.lip(3)
    lower = np.concatenate([upper[:1], net.lip(4), upper[-1:]])
    assert len(lower) == mesh.LIP_POINTS and len(outer) == 2
    middle = landmarks[[234, 454], 0].mean()
    return Enrolled(
        source=np.dstack([source, np.asarray(cover * 255, np.uint8)]),
        plate=plate,
        folds=_folds(landmarks),
        parted=parted,
        parted_at=np.array(parted_at, np.int32),
        points=net.points,
        depth=net.depth,
        triangles=net.triangles,
        bases=rig.author(net, lips, landmarks, glasses=wears_glasses(source, landmarks)),
        upper_lip=upper,
        lower_lip=lower,
        head=head.astype(np.float32),
        breath=breath.astype(np.float32),
        pivot=np.array([middle, chin + 0.12 * tall, float(np.percentile(net.depth, 90))], np.float32),
        mouth=np.array([*_seam_middle(lips), *lips.across, lips.width], np.float32),
        landmarks=landmarks,
        rest=_rest(lips),
        right_eye=right,
        left_eye=left,
        look=look,
    )


def _seam_middle(lips: mesh.Lips) -> Floats:
    """Where the lips meet in the middle once they are closed."""
    middle = mesh.LIP_POINTS // 2
    return np.asarray(0.58 * lips.inner_upper[middle] + 0.42 * lips.inner_lower[middle], np.float32)


def _rest(lips: mesh.Lips) -> Floats:
    """The weights at rest: parted lips are brought together."""
    rest = np.zeros(len(rig.Base), np.float32)
    rest[rig.Base.CLOSE] = 1.0 if lips.gap > 0 else 0.0
    return rest


def _smooth(value: Floats) -> Floats:
    clipped = np.clip(value, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), np.float32)


__all__ = ["MAX_TURN", "MIN_FACE", "enrol", "examine"]
