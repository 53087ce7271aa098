"""Tensors as pictures: every pixel."""

import base64
from io import BytesIO

import numpy as np
from PIL import Image

from core.figures.thumbnails import NEGATIVE, POSITIVE, ZERO, picture_digit, picture_maps, picture_vector

FAINT = round(0.12 * 255)


def read(uri: str) -> np.ndarray:
    start = "data:image/png;base64,"
    assert uri.startswith(start)
    return np.asarray(Image.open(BytesIO(base64.b64decode(uri.removeprefix(start)))))


def test_a_digit_keeps_its_grey_levels():
    frame = np.arange(196, dtype=np.float32).reshape(14, 14)
    np.testing.assert_array_equal(read(picture_digit(frame)), frame)


def test_maps_stand_in_rows_of_eight_with_a_gap():
    maps = np.zeros((9, 2, 3), np.float32)
    maps[0, 0, 0], maps[1, 1, 2], maps[8] = 2, -2, 1
    sheet = read(picture_maps(maps, strongest=2))
    assert sheet.shape == (2 * 3 - 1, 8 * 4 - 1, 4)
    assert sheet[0, 0].tolist() == [*POSITIVE, 255]
    assert sheet[1, 6].tolist() == [*NEGATIVE, 255]
    assert sheet[0, 1].tolist() == [*ZERO, FAINT]
    assert sheet[0, 3, 3] == sheet[2, 0, 3] == sheet[4, 4, 3] == 0  # gaps, and where no map is
    assert sheet[3, 0, 3] == round(255 * (0.12 + 0.88 / 2))


def test_many_maps_stand_in_rows_of_sixteen():
    assert read(picture_maps(np.zeros((64, 2, 2), np.float32), 1)).shape == (4 * 3 - 1, 16 * 3 - 1, 4)
    assert read(picture_vector(np.zeros(128, np.float32), 0)).shape == (8 * 2 - 1, 16 * 2 - 1, 4)
