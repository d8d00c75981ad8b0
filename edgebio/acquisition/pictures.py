"""A picture of a gesture, by the words of its name: a sign in the terminal, a drawing on a page."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Gesture:
    """A hand.

    Attributes
    ----------
    sign
        For the terminal.
    fingers
        How far thumb, index, middle, ring and little finger are stretched, 0 to 1.
    turn
        Rotation of the hand in degrees, clockwise.
    spread
        Of the fingers, 0 to 1.
    """

    sign: str
    fingers: tuple[float, float, float, float, float]
    turn: float = 0.0
    spread: float = 0.2


_CURLED = (0.1, 0.15, 0.15, 0.15, 0.15)
_FLAT = (0.7, 1.0, 1.0, 1.0, 1.0)
_RELAXED = (0.5, 0.6, 0.65, 0.6, 0.55)

_GESTURES = (
    (("rest", "neutral", "relax", "no movement", "no gesture"), Gesture("~", _RELAXED)),
    (("chuck", "tripod", "precision"), Gesture("⋔", (0.6, 0.45, 0.45, 0.1, 0.1), spread=0.0)),
    (("pinch", "key"), Gesture("∩", (0.6, 0.45, 0.1, 0.1, 0.1), spread=0.0)),
    (("fist", "power", "close", "grip"), Gesture("●", _CURLED)),
    (("open", "spread"), Gesture("✳", (1.0, 1.0, 1.0, 1.0, 1.0), spread=1.0)),
    (("point", "index"), Gesture("↑", (0.1, 1.0, 0.1, 0.1, 0.1))),
    (("thumb",), Gesture("↥", (1.0, 0.1, 0.1, 0.1, 0.1))),
    (("victory", "two"), Gesture("V", (0.1, 1.0, 1.0, 0.1, 0.1), spread=0.8)),
    (("flexion", "down"), Gesture("↓", _FLAT, turn=130)),
    (("extension", "up"), Gesture("↑", _FLAT, turn=-50)),
    (("radial", "left", "supination"), Gesture("←", _FLAT, turn=-30)),
    (("ulnar", "right", "pronation"), Gesture("→", _FLAT, turn=30)),
)
_OTHER = Gesture("○", _RELAXED)

_ROOTS = ((30.0, 78.0), (36.0, 52.0), (47.0, 48.0), (58.0, 50.0), (68.0, 56.0))  # of the fingers
_ANGLES = (-75.0, -9.0, -2.0, 6.0, 16.0)  # degrees from upright
_LENGTHS = (26.0, 36.0, 41.0, 37.0, 28.0)


def gesture_of(name: str) -> Gesture:
    """Gesture of a class, by the first word that matches; a relaxed hand for any other."""
    lower = name.lower()
    for words, gesture in _GESTURES:
        if any(word in lower for word in words):
            return gesture
    return _OTHER


def sign_of(name: str) -> str:
    """Sign of a class for the terminal."""
    return gesture_of(name).sign


def draw_gesture(name: str) -> str:
    """Drawing of a class as SVG, in the color of the text around it."""
    gesture = gesture_of(name)
    lines = []
    for number, stretch in enumerate(gesture.fingers):
        x, y = _ROOTS[number]
        angle = math.radians(_ANGLES[number] * (0.6 + gesture.spread * (1.4 if number else 0.4)))
        length = 6 + _LENGTHS[number] * stretch
        end = (x + length * math.sin(angle), y - length * math.cos(angle))
        lines.append(f'<line x1="{x:.0f}" y1="{y:.0f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>')
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="5 0 90 112" role="img" '
        'stroke="currentColor" stroke-width="9" stroke-linecap="round" fill="currentColor">'
        f'<g transform="rotate({gesture.turn:g} 52 90)"><rect x="35" y="54" width="34" '
        f'height="36" rx="8" stroke="none"/><path d="M42 88 h20 v18 h-20 z" stroke="none"/>'
        f"{''.join(lines)}</g></svg>"
    )
