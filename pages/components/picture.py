"""Small grey pictures inside HTML."""

import base64
from io import BytesIO

import numpy as np
from PIL import Image


def as_data_url(pixels: np.ndarray) -> str:
    """Grey levels 0 to 255 (height, width) as the address of a PNG that needs no file."""
    file = BytesIO()
    Image.fromarray(pixels.round().astype(np.uint8)).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
