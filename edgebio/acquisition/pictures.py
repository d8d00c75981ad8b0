"""A sign for a gesture, by the words of its name."""

_SIGNS = (
    (("rest", "neutral", "relax", "no movement", "no gesture"), "💤"),
    (("fist", "power", "hand close", "close", "grip"), "✊"),
    (("open", "spread"), "🖐"),
    (("pinch", "precision", "chuck", "tripod", "key"), "🤏"),
    (("point", "index"), "☝"),
    (("thumb",), "👍"),
    (("ok",), "👌"),
    (("victory", "two"), "✌"),
    (("flexion", "down"), "⬇"),
    (("extension", "up"), "⬆"),
    (("radial", "left", "supination"), "⬅"),
    (("ulnar", "right", "pronation"), "➡"),
)


def sign_of(name: str) -> str:
    """Sign for a class, by the first word that matches; a circle for any other."""
    lower = name.lower()
    for words, sign in _SIGNS:
        if any(word in lower for word in words):
            return sign
    return "●"
