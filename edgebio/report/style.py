"""Look of every chart: a palette for light and dark readers, fonts and sizes.

Charts are drawn in the light colors. `css` gives the rules that replace them where the reader's
screen is dark; a viewer that knows no style sheets still shows the light ones.
"""

from typing import Any, Final

PALETTE: Final = {
    "paper": ("#ffffff", "#14181d"),
    "ink": ("#1b1f24", "#e4e8ec"),
    "muted": ("#5b6570", "#9aa5b1"),
    "line": ("#e1e5ea", "#2b323a"),
    "soft": ("#f4f6f8", "#1c2229"),
    "gray": ("#a0a9b2", "#6b7682"),
    "blue": ("#0b6ea8", "#58b4ea"),
    "orange": ("#d0570b", "#f2955a"),
    "green": ("#128060", "#45c69c"),
}
"""Light and dark color by name. Blue and orange, which carry the meaning, differ for color-blind
readers too (after Okabe & Ito's palette, darkened to stand out from white)."""

PAPER, INK, MUTED, LINE, GRAY, BLUE, ORANGE, GREEN = (
    PALETTE[name][0]
    for name in ("paper", "ink", "muted", "line", "gray", "blue", "orange", "green")
)
SERIES: Final = (BLUE, ORANGE, GREEN)

RC: Final[dict[str, Any]] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GRAY,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 3,
    "axes.titlesize": 10,
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.07,
    "figure.dpi": 72,
    "figure.edgecolor": PAPER,
    "figure.facecolor": PAPER,
    "font.family": "sans-serif",
    # matplotlib brings DejaVu Sans, so that the layout is the same on every machine.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 10,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "image.interpolation": "none",
    "image.composite_image": False,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.8,
    "lines.solid_joinstyle": "round",
    "savefig.facecolor": PAPER,
    "svg.fonttype": "none",
    "text.color": INK,
    **{f"{axis}tick.color": MUTED for axis in "xy"},
    **{f"{axis}tick.{kind}.size": 0 for axis in "xy" for kind in ("major", "minor")},
}
"""matplotlib's settings. One point is one pixel of a page on a phone."""

FONTS: Final = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'


def css() -> str:
    """Style sheet of a page or an SVG file: the palette as variables, and the charts' rules."""

    def variables(scheme: int) -> str:
        return " ".join(f"--{name}: {pair[scheme]};" for name, pair in PALETTE.items())

    rules = [
        f":root {{ color-scheme: light dark; {variables(0)} }}",
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {variables(1)} }} }}",
        f"svg text {{ font-family: {FONTS} !important; font-variant-numeric: tabular-nums; }}",
        "svg, svg * { stroke-linejoin: round; stroke-linecap: butt; }",
    ]
    for name, (light, _) in PALETTE.items():
        for part in ("fill", "stroke"):
            rules.append(f'[style*="{part}: {light}"] {{ {part}: var(--{name}) !important; }}')
    return "\n".join(rules) + "\n"
