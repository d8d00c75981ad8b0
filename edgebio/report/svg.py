"""Charts as inline SVG: no script, colours by the page's own style sheet.

All are 340 units wide, which is what a phone shows one to one; a text of 11 units is then readable
there, and larger on a screen or on paper.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

WIDTH = 340
_ROW = 20
_NAME = 118
_LETTERS = 17
"""Letters of a name that fit into `_NAME` units beside its number."""
_MARKS = ("float", "int8", "other")
_TRACES = 46
"""Height of a row of traces."""
_TURNS = ("first", "second", "third")


def lines(
    title: str,
    series: Mapping[str, Sequence[Sequence[float]]],
    best: int | None = None,
    share: bool = False,
) -> Markup:
    """Draw curves over epochs.

    Parameters
    ----------
    title
        What is drawn, for those who cannot see it.
    series
        By name, ``training`` or ``validation``: curves, each one figure an epoch.
    best
        Epoch, from 1, that is marked.
    share
        The figures lie within 0 to 1, and the axis ends at 1.
    """
    curves = [curve for several in series.values() for curve in several]
    last = max(len(curve) for curve in curves)
    low = min(min(curve) for curve in curves)
    high = 1.0 if share else max(max(curve) for curve in curves)
    marks = ticks(low, high)
    low, high = min(low, marks[0]), max(high, marks[-1])
    left, right, top, bottom = 40.0, WIDTH - 10.0, 12.0, 164.0

    def x(epoch: float) -> float:
        return left + (right - left) * ((epoch - 1) / (last - 1) if last > 1 else 0.5)

    def y(value: float) -> float:
        return bottom - (bottom - top) * (value - low) / ((high - low) or 1.0)

    parts = [_grid(left, right, ((y(t), f"{t:g}") for t in marks))]
    shown = sorted({1, *(round(1 + (last - 1) * k / 4) for k in range(5)), last})
    parts += [_text(x(e), bottom + 16, str(e), "middle") for e in shown]
    parts.append(_text(right, bottom + 32, "epoch", "end", "quiet"))
    if best is not None and last > 1:
        parts.append(
            Markup(
                '<line class="mark" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.0f}" y2="{2:.0f}"/>'
            ).format(x(best), top, bottom)
        )
    for name, several in series.items():
        thin = " thin" if len(several) > 1 else ""
        for curve in several:
            points = [(x(epoch), y(value)) for epoch, value in enumerate(curve, 1)]
            parts.append(_curve(points, f"curve {name}{thin}"))
            if len(points) == 1:
                parts.append(_dot(*points[0], f"dot {name}"))
    key = [(name, f"curve {name}") for name in series]
    parts.append(_key(left, bottom + 32, key))
    return _svg(title, bottom + 42, parts)


def confusion(title: str, counts: Sequence[Sequence[int]], classes: Sequence[str]) -> Markup:
    """Draw a confusion matrix in per cent of each true class; classes are numbered from 1.

    Parameters
    ----------
    counts
        Windows by true class (row) and decided class (column).
    classes
        Their names.
    """
    size = (WIDTH - _NAME - 2) / len(classes)
    height = min(max(size, 14.0), 44.0)
    top = 34.0
    parts = [_text(_NAME, 12, "decided", "start", "quiet"), _text(0, 26, "true", "start", "quiet")]
    for column in range(len(classes)):
        parts.append(
            _text(_NAME + size * (column + 0.5), 28, str(column + 1), "middle", _small(size))
        )
    for row, (name, found) in enumerate(zip(classes, counts, strict=True)):
        y = top + height * row
        parts.append(_text(0, y + height / 2 + 4, f"{row + 1} {_short(name)}"))
        total = sum(found)
        for column, count in enumerate(found):
            part = count / total if total else 0.0
            x = _NAME + size * column
            inside = f"{name} decided as {classes[column]}: {count:,} of {total:,}"
            parts.append(
                Markup(
                    '<g><title>{5}</title><rect class="cell{4}" x="{0:.2f}" y="{1:.2f}" '
                    'width="{2:.2f}" height="{3:.2f}" fill-opacity="{6:.3f}"/>'
                ).format(
                    x, y, size - 1, height - 1, " right" if row == column else "", inside, part
                )
            )
            if part >= 0.005 and size >= 13:
                dark = "over" if part > 0.6 else "under"
                parts.append(
                    _text(
                        x + (size - 1) / 2, y + height / 2 + 3.5, f"{100 * part:.0f}", "middle",
                        f"{dark} {_small(size)}",
                    )
                )  # fmt: skip
            parts.append(Markup("</g>"))
    return _svg(title, top + height * len(classes) + 2, parts)


def roc(
    title: str, curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], worst: Sequence[str]
) -> Markup:
    """Draw ROC curves, each class against the rest.

    Parameters
    ----------
    curves
        By class: false positive and true positive rates.
    worst
        Up to two classes that are named and drawn in colours of their own.
    """
    left, top, size = 40.0, 12.0, 256.0

    def x(rate: float) -> float:
        return left + size * rate

    def y(rate: float) -> float:
        return top + size * (1 - rate)

    fifths = [k / 5 for k in range(6)]
    parts = [_grid(left, left + size, ((y(t), f"{t:g}") for t in fifths))]
    parts += [_text(x(t), top + size + 16, f"{t:g}", "middle") for t in fifths]
    parts.append(_curve([(x(0), y(0)), (x(1), y(1))], "chance"))
    named = {name: place for place, name in enumerate(worst)}
    for name in sorted(curves, key=lambda name: name in named):
        false, true = curves[name]
        kind = f"rank{named[name]}" if name in named else "rest"
        points = [(x(f), y(t)) for f, t in zip(false, true, strict=True)]
        parts.append(_curve(points, f"curve {kind}", name))
    parts.append(_text(left, top + size + 34, "false positive rate", "start", "quiet"))
    key = [(_short(name), f"curve rank{place}") for place, name in enumerate(worst)]
    if len(curves) > len(worst):
        key.append(("other classes", "curve rest"))
    for row, entry in enumerate(key):
        parts.append(_key(x(0.36), y(0.06 + 0.075 * (len(key) - 1 - row)), [entry]))
    return _svg(title, top + size + 42, parts)


def scatter(
    title: str, true: Sequence[float], told: Sequence[float], *, logarithmic: bool
) -> Markup:
    """Draw what was told (upwards) over what is true, with the diagonal.

    Parameters
    ----------
    true, told
        Of as many points; above 0 where the axes are logarithmic.
    """
    if logarithmic:
        least = min(value for value in true if value > 0)
        true, told = (
            [math.log10(max(value, least / 10)) for value in values] for values in (true, told)
        )
    low, high = min(*true, *told), max(*true, *told)
    high = high if high > low else low + 1
    left, top, size = 52.0, 12.0, 256.0

    def x(value: float) -> float:
        return left + size * (value - low) / (high - low)

    def y(value: float) -> float:
        return top + size * (high - value) / (high - low)

    whole = [float(k) for k in range(math.ceil(low), math.floor(high) + 1)]
    marks = whole if logarithmic and len(whole) > 1 else ticks(low, high)
    named = [(t, f"{10**t:g}" if logarithmic else f"{t:g}") for t in marks]
    parts = [_grid(left, left + size, ((y(t), name) for t, name in named))]
    parts += [_text(x(t), top + size + 16, name, "middle") for t, name in named]
    parts.append(_curve([(x(low), y(low)), (x(high), y(high))], "chance"))
    for one, other in zip(true, told, strict=True):
        parts.append(
            Markup('<circle class="point" cx="{:.1f}" cy="{:.1f}" r="1.6"/>').format(
                x(one), y(other)
            )
        )
    parts.append(_text(left + size, top + size + 34, "true", "end", "quiet"))
    return _svg(title, top + size + 42, parts)


def pareto(
    title: str,
    dots: Sequence[tuple[str, float, float, str, str]],
    x_name: str,
    limit: float | None = None,
) -> Markup:
    """Draw what candidates bring (upwards) over what they take, on a logarithmic axis.

    Parameters
    ----------
    dots
        Label, x, y, kind (``front``, ``own`` or ``other``) and what is told of it; x is above 0,
        y within 0 to 1. Those that are not ``other`` are labelled where there is room.
    x_name
        What the axis is.
    limit
        Most that may be taken; marked.
    """
    least, most = min(x for _, x, *_ in dots), max(x for _, x, *_ in dots)
    first, last = math.log(least) - 0.12, math.log(max(most, limit or 0.0)) + 0.12
    values = [y for _, _, y, *_ in dots]
    marks = ticks(min(values), max(values))
    low, high = min(*values, *marks), max(*values, *marks)
    high = high if high > low else low + 0.01
    left, right, top, bottom = 44.0, WIDTH - 12.0, 22.0, 220.0

    def x(value: float) -> float:
        return left + (right - left) * (math.log(value) - first) / (last - first)

    def y(value: float) -> float:
        return bottom - (bottom - top) * (value - low) / (high - low)

    parts = [_grid(left, right, ((y(t), f"{t:g}") for t in marks))]
    named = _decades(math.exp(first), math.exp(last))
    parts += [_text(x(t), bottom + 16, f"{t:,g}", "middle") for t in named]
    parts.append(_text(right, bottom + 32, x_name, "end", "quiet"))
    if limit is not None:
        parts.append(
            Markup(
                '<line class="mark" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.0f}" y2="{2:.0f}"/>'
            ).format(x(limit), top - 8, bottom)
        )
        parts.append(_text(x(limit) - 4, top - 12, "limit", "end", "quiet"))
    steps: list[tuple[float, float]] = []
    for _, a, b, *_ in sorted((d for d in dots if d[3] == "front"), key=lambda d: (d[1], -d[2])):
        if not steps or y(b) < steps[-1][1]:
            steps += [(x(a), steps[-1][1])] if steps else []
            steps.append((x(a), y(b)))
    if steps:
        parts.append(_curve([*steps, (right, steps[-1][1])], "chance"))
    kinds = {"front": "dot", "own": "dot validation", "other": "dot other"}
    order = sorted(dots, key=lambda d: ("other", "own", "front").index(d[3]))
    for _, a, b, kind, told in order:
        parts.append(_dot(x(a), y(b), kinds[kind], told))
    taken = [(x(a) - 5, y(b) - 5, x(a) + 5, y(b) + 5) for _, a, b, *_ in dots]
    for label, a, b, kind, _ in reversed(order):
        width = 6.4 * len(label)
        if kind == "other":
            continue
        for dx, dy in ((-width / 2, -8), (8, 4), (-8 - width, 4), (-width / 2, 17)):
            box = (x(a) + dx, y(b) + dy - 9, x(a) + dx + width, y(b) + dy + 1)
            inside = left <= box[0] and box[2] <= right and box[3] <= bottom
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                parts.append(_text(box[0], y(b) + dy, label))
                break
    return _svg(title, bottom + 42, parts)


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _decades(low: float, high: float) -> list[float]:
    """Round numbers of a logarithmic axis: 1, 2 and 5 of each decade, or more of a short one."""
    for steps in ((1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)):
        exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        found = [f * 10.0**e for e in exponents for f in steps if low <= f * 10.0**e <= high]
        if len(found) >= 3:
            return found
    return ticks(low, high)


def people(
    title: str,
    rows: Sequence[tuple[str, Mapping[str, float | None]]],
    mean: float,
    interval: Sequence[float] | None,
) -> Markup:
    """Draw one row of dots a person, over the mean and its interval.

    Parameters
    ----------
    rows
        Name, and figures within 0 to 1 of ``float``, ``int8`` and ``other``, as far as known.
    mean, interval
        Of what ``int8`` shows.
    """
    values = [v for _, row in rows for v in row.values() if v is not None]
    low = max(0.0, math.floor(10 * min([*values, *(interval or [])]) - 0.5) / 10)
    letters = min(_LETTERS, max(len(name) for name, _ in rows))
    left, right, top = max(64.0, 10.0 + 7.0 * letters), WIDTH - 14.0, 10.0
    bottom = top + _ROW * len(rows)

    def x(value: float) -> float:
        return left + (right - left) * (value - low) / (1 - low)

    parts = []
    if interval:
        a, b = (x(value) for value in interval)
        parts.append(
            Markup(
                '<rect class="band" x="{:.1f}" y="{:.0f}" width="{:.1f}" height="{:.0f}"/>'
            ).format(a, top, max(b - a, 1.0), bottom - top)
        )
    marks = ticks(low, 1.0)
    for t in marks:
        parts.append(
            Markup(
                '<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.0f}" y2="{2:.0f}"/>'
            ).format(x(t), top, bottom)
        )
        parts.append(_text(x(t), bottom + 16, f"{t:g}", "middle"))
    parts.append(
        Markup('<line class="mark" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.0f}" y2="{2:.0f}"/>').format(
            x(mean), top, bottom
        )
    )
    for row, (name, figures) in enumerate(rows):
        y = top + _ROW * (row + 0.5)
        parts.append(_text(left - 10, y + 4, _short(name), "end"))
        for kind in reversed(_MARKS):
            value = figures.get(kind)
            if value is not None:
                parts.append(_dot(x(value), y, f"dot {kind}", f"{name}: {kind} {value:.3f}"))
    return _svg(title, bottom + 24, parts)


def teaching(title: str, at: Sequence[float], people: Mapping[str, Sequence[float]]) -> Markup:
    """Draw accuracy over the seconds of labelled signal that a network was taught by.

    Parameters
    ----------
    at
        Seconds, rising.
    people
        By person: accuracy at each; their mean is drawn bold.
    """
    mean = [sum(values) / len(people) for values in zip(*people.values(), strict=True)]
    lowest = min(min(values) for values in people.values())
    marks = ticks(lowest, 1.0)
    low, last = min(lowest, marks[0]), max(*at, 1.0)
    left, right, top, bottom = 40.0, WIDTH - 14.0, 12.0, 184.0

    def place(seconds: float, value: float) -> tuple[float, float]:
        return left + (right - left) * seconds / last, bottom - (bottom - top) * (value - low) / (
            1 - low
        )

    parts = [_grid(left, right, ((place(0, t)[1], f"{t:g}") for t in marks))]
    parts += [_text(place(s, low)[0], bottom + 16, f"{s:.0f}", "middle") for s in at]
    parts.append(_text(right, bottom + 32, "labelled signal, s", "end", "quiet"))
    for name, values in people.items():
        points = [place(s, v) for s, v in zip(at, values, strict=True)]
        parts.append(_curve(points, "curve training thin", name))
    bold = [place(s, v) for s, v in zip(at, mean, strict=True)]
    parts.append(_curve(bold, "curve validation"))
    parts += [
        _dot(*point, "dot validation", f"mean {value:.3f}")
        for point, value in zip(bold, mean, strict=True)
    ]
    parts.append(
        _key(left, bottom + 32, [("person", "curve training"), ("mean", "curve validation")])
    )
    return _svg(title, bottom + 42, parts)


def bars(title: str, rows: Sequence[tuple[str, float | None, str]], highest: float) -> Markup:
    """Draw horizontal bars: name, value within 0 to `highest` (None: none), and its text."""
    width = WIDTH - _NAME - 62.0
    parts = []
    for row, (name, value, text) in enumerate(rows):
        y = _ROW * row
        parts.append(_text(0, y + 14, _short(name, _LETTERS + 2)))
        if value is not None:
            length = max(1.0, width * max(0.0, value) / highest)
            parts.append(
                Markup(
                    '<rect class="bar" x="{}" y="{}" width="{:.1f}" height="{}" rx="2"/>'
                ).format(_NAME, y + 4, min(length, width), _ROW - 7)
            )
        parts.append(_text(WIDTH - 2, y + 14, text, "end"))
    return _svg(title, _ROW * len(rows) + 2, parts)


def traces(
    title: str,
    rows: Sequence[tuple[str, Sequence[Sequence[tuple[float, float]]]]],
    ticks: Sequence[tuple[float, str]],
    note: str,
    key: Sequence[str],
) -> Markup:
    """Draw a row of curves a name, all over one axis.

    Parameters
    ----------
    rows
        Name, and curves of points within 0 to 1 both ways, upwards; none are drawn as a dash.
    ticks
        Places within 0 to 1 of the axis, and what stands there.
    note
        What the axis is.
    key
        Names of the curves.
    """
    left, right, top = _NAME - 12.0, WIDTH - 12.0, 24.0
    bottom = top + _TRACES * len(rows)
    kinds = [f"trace {kind}" for kind in _TURNS[: len(key)]]
    parts = [_key(left, 12, zip(key, kinds, strict=True))]
    for place, text in ticks:
        x = left + (right - left) * place
        parts.append(
            Markup(
                '<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.0f}" y2="{2:.0f}"/>'
            ).format(x, top, bottom)
        )
        parts.append(_text(x, bottom + 16, text, "middle"))
    parts.append(_text(right, bottom + 32, note, "end", "quiet"))
    for row, (name, curves) in enumerate(rows):
        y = top + _TRACES * (row + 1)
        parts.append(_grid(0, right, [(y, "")]))
        first, second = _two_lines(name)
        parts.append(_text(0, y - _TRACES / 2 + (4 if not second else -3), first))
        if second:
            parts.append(_text(0, y - _TRACES / 2 + 11, second))
        if not curves:
            parts.append(_text((left + right) / 2, y - _TRACES / 2 + 4, "–", "middle", "quiet"))
        for curve, kind in zip(curves, _TURNS, strict=False):
            points = [(left + (right - left) * a, y - 2 - (_TRACES - 4) * b) for a, b in curve]
            parts.append(_curve(points, f"trace {kind}"))
    return _svg(title, bottom + 38, parts)


def pictures(title: str, strips: Sequence[tuple[str, str, float]]) -> Markup:
    """Set pictures under their names.

    Parameters
    ----------
    strips
        Name, ``data:`` address, and height as a part of the width.
    """
    parts, y = [], 0.0
    for name, address, part in strips:
        parts.append(_text(0, y + 12, name))
        parts.append(
            Markup(
                '<image href="{}" x="0" y="{:.0f}" width="{}" height="{:.0f}" '
                'preserveAspectRatio="none" image-rendering="optimizeSpeed" '
                'style="image-rendering:pixelated"/>'
            ).format(address, y + 17, WIDTH, WIDTH * part)
        )
        y += 28 + WIDTH * part
    return _svg(title, y, parts)


def _two_lines(name: str) -> tuple[str, str]:
    """A name as it fits beside a row: in two lines where one is too short."""
    if len(name) <= _LETTERS:
        return name, ""
    space = name.rfind(" ", 0, _LETTERS + 1)
    return (name[:space], _short(name[space + 1 :])) if space > 0 else (_short(name), "")


def _svg(title: str, height: float, parts: Iterable[Markup]) -> Markup:
    return Markup(
        '<svg viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">{}</svg>'
    ).format(WIDTH, height, title, Markup("").join(parts))  # fmt: skip


def _grid(left: float, right: float, ticks: Iterable[tuple[float, str]]) -> Markup:
    return Markup("").join(
        Markup('<line class="grid" x1="{:.0f}" x2="{:.0f}" y1="{:.1f}" y2="{:.1f}"/>').format(
            left, right, y, y
        )
        + _text(left - 6, y + 4, text, "end")
        for y, text in ticks
    )


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" class="{}">{}</text>').format(
        x, y, anchor, kind, text
    )


def _curve(points: Iterable[tuple[float, float]], kind: str, title: str = "") -> Markup:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    told = Markup("<title>{}</title>").format(title) if title else ""
    return Markup('<polyline class="{}" points="{}">{}</polyline>').format(kind, path, told)


def _dot(x: float, y: float, kind: str, title: str = "") -> Markup:
    told = Markup("<title>{}</title>").format(title) if title else ""
    radius = 6.0 if kind == "dot float" else 4.5
    return Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}">{}</circle>').format(
        kind, x, y, radius, told
    )


def _key(x: float, y: float, entries: Iterable[tuple[str, str]]) -> Markup:
    parts = []
    for name, kind in entries:
        parts.append(_curve([(x, y - 4), (x + 18, y - 4)], kind))
        parts.append(_text(x + 24, y, name))
        x += 36 + 6.2 * len(name)
    return Markup("").join(parts)


def ticks(low: float, high: float) -> list[float]:
    """About five round numbers within the range."""
    span = (high - low) or abs(high) or 1.0
    step = 10 ** math.floor(math.log10(span / 4))
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if span / (step * factor) <= 5)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 10) for k in range(first, last + 1)] or [low]


def _small(size: float) -> str:
    return "small" if size < 22 else ""


def _short(name: str, most: int = _LETTERS) -> str:
    return str(name) if len(name) <= most else f"{name[: most - 1]}…"
