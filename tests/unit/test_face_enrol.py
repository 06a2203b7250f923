"""Enrolment takes good photos as they come and refuses the others with a sentence that helps."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from bot.errors import BadInput
from integrations.faces.portrait import Enrolled, contact_sheet, enrol
from integrations.faces.portrait.photo import load_photo
from tests.unit.face_pictures import astronaut

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def photo(model_store):
    return model_store.path("grace-hopper-portrait")


@pytest.fixture(scope="module")
def picture(photo):
    return cv2.imread(str(photo))


def refused(path, model_store, *words):
    with pytest.raises(BadInput) as caught:
        enrol(path, None, model_store)
    assert path.name in str(caught.value)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def saved(folder, picture, name="photo.png"):
    assert cv2.imwrite(str(folder / name), picture)
    return folder / name


def test_a_photo_without_a_face(tmp_path, model_store, picture):
    refused(saved(tmp_path, picture[430:, :]), model_store, "no face")


def test_two_faces(tmp_path, model_store, picture):
    refused(saved(tmp_path, np.hstack([picture, picture])), model_store, "2 faces")


def test_a_small_face(tmp_path, model_store):
    refused(astronaut(tmp_path), model_store, "pixels high", "closer")


def test_a_face_cut_off(tmp_path, model_store, picture):
    refused(saved(tmp_path, picture[:300, :]), model_store, "cut off")


def test_a_head_turned_aside(tmp_path, model_store, picture):
    """One half of the face squeezed to a third, as perspective does it to a turned head."""
    middle = 268
    grid = np.arange(512, dtype=np.float32)
    across = np.where(grid < middle - 35, (grid - middle + 35) * 2.8 + middle - 100, np.nan)
    across = np.where(np.isnan(across), (grid - middle) * 0.86 + middle, across).astype(np.float32)
    across = np.where(grid < middle - 35, across, np.maximum(across, middle - 100)).astype(np.float32)
    step = np.clip((grid - (middle - 35)) / 35, 0, 1)
    across = np.where((grid >= middle - 35) & (grid < middle), middle - 100 + 100 * step, across).astype(np.float32)
    maps = np.meshgrid(across, np.arange(600, dtype=np.float32))
    turned = cv2.remap(picture, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    refused(saved(tmp_path, turned), model_store, "turned", "straight")


def test_not_a_picture(tmp_path, model_store):
    path = tmp_path / "letter.jpg"
    path.write_text("Dear sir")
    refused(path, model_store, "not a picture")


def test_a_damaged_picture(tmp_path, model_store, photo):
    path = tmp_path / "half.png"
    path.write_bytes(cv2.imencode(".png", cv2.imread(str(photo)))[1].tobytes()[:400])
    refused(path, model_store)


def test_a_decompression_bomb_is_never_unpacked(tmp_path, model_store):
    def piece(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + piece(b"IHDR", header) + piece(b"IDAT", zlib.compress(b"0")) + piece(b"IEND", b"")
    )
    refused(path, model_store, "60000 x 60000")


def test_a_photo_turned_by_its_exif(tmp_path, model_store, picture):
    """A phone stores it lying on its side and says so."""
    lying = cv2.rotate(picture, cv2.ROTATE_90_COUNTERCLOCKWISE)
    data = cv2.imencode(".jpg", lying, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    tiff = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\0\0" + tiff
    path = tmp_path / "phone.jpg"
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:])
    assert load_photo(path).shape == picture.shape
    assert (
        np.abs(enrol(path, None, model_store).portrait.astype(int) - upright(picture, tmp_path, model_store)).mean() < 6
    )


def upright(picture, folder, model_store):
    return enrol(saved(folder, picture, "upright.png"), None, model_store).portrait


def test_transparency_becomes_a_quiet_ground(tmp_path, picture):
    cover = np.full(picture.shape[:2], 255, np.uint8)
    cover[:50] = 0
    found = load_photo(saved(tmp_path, np.dstack([picture, cover])))
    assert (found[:50] == 120).all()
    assert np.array_equal(found[50:], picture[50:])


def test_a_smile_lends_its_teeth(tmp_path, model_store, photo):
    """The astronaut smiles, Hopper does not: the teeth are hers."""
    smiling = astronaut(tmp_path, scale=2)
    assert enrol(photo, smiling, model_store).look.own.size > 1000
    with pytest.raises(BadInput, match="no teeth"):
        enrol(photo, photo, model_store)


def test_a_black_and_white_photo_gets_a_grey_mouth(tmp_path, model_store, picture):
    gray = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    look = enrol(saved(tmp_path, gray), None, model_store).look
    assert np.ptp(look.tooth) < 12 and np.ptp(look.flesh) < 12


def test_saved_and_loaded_it_is_the_same_face(tmp_path, model_store, photo):
    face = enrol(photo, None, model_store)
    face.save(tmp_path / "face.npz")
    assert np.array_equal(Enrolled.load(tmp_path / "face.npz").portrait, face.portrait)
    assert contact_sheet(face).std() > 20


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nonsense", b"hello"])
def test_something_else_is_no_face(tmp_path, content):
    (tmp_path / "face.npz").write_bytes(content)
    with pytest.raises(BadInput, match="not an enrolled face"):
        Enrolled.load(tmp_path / "face.npz")
