"""Images as the device sees them, as PNG inside the page."""

import base64
import io

import numpy as np
import numpy.typing as npt

# Viridis at nine places: as dark to bright as the values, also on paper and to the colour-blind.
_STOPS = (
    0x440154, 0x472D7B, 0x3B528B, 0x2C728E, 0x21918C, 0x28AE80, 0x5EC962, 0xADDC30, 0xFDE725,
)  # fmt: skip
_GAP = 1


def strip(image: npt.NDArray[np.int8]) -> str:
    """One image, its channels side by side, time to the right and frequency upwards.

    Parameters
    ----------
    image
        int8, shape (columns, bins, channels).

    Returns
    -------
    str
        ``data:`` address of a PNG of one pixel a value.
    """
    from PIL import Image

    columns, bins, channels = image.shape
    width = channels * (columns + _GAP) - _GAP
    # Value 0 of the palette is the gap; what the image calls -128 shares the colour of -127.
    pixels = np.zeros((bins, width), np.uint8)
    for channel in range(channels):
        left = channel * (columns + _GAP)
        values = np.maximum(image[:, ::-1, channel].T.astype(np.int16) + 128, 1)
        pixels[:, left : left + columns] = values
    picture = Image.fromarray(pixels, "L")
    picture = picture.convert("P") if picture.mode != "P" else picture
    picture.putpalette(_palette().tobytes())
    out = io.BytesIO()
    picture.save(out, "PNG", transparency=0, optimize=True)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def heated(image: npt.NDArray[np.integer | np.floating], heat: npt.NDArray[np.floating]) -> str:
    """An image in grey with heat over it, time to the right and frequency upwards.

    Parameters
    ----------
    image
        Shape (columns, bins), within -128 to 127.
    heat
        float, shape (columns, bins): 0 leaves the grey as it is, 1 covers it with full colour.

    Returns
    -------
    str
        ``data:`` address of a PNG of one pixel a value.
    """
    from PIL import Image

    grey = np.repeat((image[:, ::-1].T[..., None] + 128.0) * 0.8, 3, axis=-1)
    share = heat[:, ::-1].T[..., None]
    colour = np.array([0xE8, 0x4A, 0x27], float) + share * np.array([0, 0xA0, 0x10])
    pixels = grey * (1 - 0.85 * share) + colour * 0.85 * share
    out = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB").save(out, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def _palette() -> npt.NDArray[np.uint8]:
    """Return 256 colours, uint8, shape (256, 3)."""
    stops = np.array([[c >> 16, c >> 8 & 255, c & 255] for c in _STOPS], float)
    at = np.linspace(0, len(stops) - 1, 256)
    table = [np.interp(at, np.arange(len(stops)), stops[:, k]) for k in range(3)]
    return np.stack(table, axis=1).round().astype(np.uint8)
