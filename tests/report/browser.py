"""Open a page in headless Chromium and measure what a reader would see."""

import html
import json
import re
import shutil
import subprocess

import pytest

# Charts and pictures without size or ink, cut charts, and colors of text in charts.
MEASURE = """<script>
addEventListener("load", () => {
  const page = document.documentElement, charts = [...document.querySelectorAll("figure svg")];
  const names = list => list.map(s => s.getAttribute("aria-label"));
  const empty = charts.filter(s => {
    const box = s.getBBox(), place = s.getBoundingClientRect();
    return !(box.width > 50 && box.height > 20 && place.width > 50);
  });
  const cut = charts.filter(s => {
    const box = s.getBBox(), view = s.viewBox.baseVal;
    return box.x < -1 || box.x + box.width > view.width + 1 ||
      box.y < -2 || box.y + box.height > view.height + 1;
  });
  const broken = [...document.querySelectorAll("img")].filter(
    i => !(i.complete && i.naturalWidth > 1 && i.getBoundingClientRect().width > 50));
  const text = [...document.querySelectorAll("figure svg text")];
  parent.document.body.dataset.measured = JSON.stringify({
    inner: innerWidth, scroll: page.scrollWidth, figures: charts.length,
    empty: names(empty), cut: names(cut), broken: broken.length,
    background: getComputedStyle(document.body).backgroundColor,
    ink: [...new Set(text.map(t => getComputedStyle(t).fill))],
    smallest: Math.min(...text.map(
      t => parseFloat(getComputedStyle(t).fontSize) * Math.hypot(t.getCTM().a, t.getCTM().b))),
  });
});
</script>"""


def executable():
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        pytest.skip("no chromium to open the page in")
    return path


def open_page(page, width, folder, scheme="light"):
    """Result of `MEASURE` for a page in a window of `width` pixels, and the console's lines."""
    inside = html.escape(page.replace("</body>", MEASURE + "</body>"))
    frame = folder / "frame.html"
    style = f"border:0;width:{width}px;height:900px"
    frame.write_text(f'<body style="margin:0"><iframe style="{style}" srcdoc="{inside}"></iframe>')
    done = subprocess.run(
        [executable(), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=4000",
         f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}",
         f"--window-size={max(width, 600)},900", "--dump-dom", str(frame)],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    measured = re.search(r'data-measured="([^"]*)"', done.stdout)
    assert measured, done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(html.unescape(measured[1])), console


def assert_readable(page, width, folder, scheme="light"):
    """Every chart of a page is drawn whole, in the colors of the scheme, and nothing overflows."""
    from edgebio.report.style import PALETTE

    seen, console = open_page(page, width, folder, scheme)
    assert seen["inner"] == width
    assert seen["scroll"] <= seen["inner"]
    assert (seen["empty"], seen["cut"], seen["broken"]) == ([], [], 0)
    assert not console
    colors = {name: rgb(pair[scheme == "dark"]) for name, pair in PALETTE.items()}
    assert seen["background"] == colors["paper"]
    assert set(seen["ink"]) <= {colors[name] for name in ("paper", "ink", "muted")}
    assert seen["smallest"] > 6
    return seen


def rgb(color):
    """CSS notation of a hexadecimal color."""
    return f"rgb({int(color[1:3], 16)}, {int(color[3:5], 16)}, {int(color[5:], 16)})"
