"""``edgebio data``: what data sets there are, what they hold, and how to have them."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from edgebio import datasets
from edgebio.cli.common import Document, Output, command
from edgebio.datasets import download
from edgebio.recordings import files, importing, layout, summary
from edgebio.recordings.recording import Recording

folder_option = click.option(
    "--data",
    "root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of data sets, one folder each; otherwise EDGEBIO_DATA, then what was fetched.",
)


@click.group(epilog="\b\nExample:\n  edgebio data list\n  edgebio data info emg-3dc")
def data() -> None:
    """List, describe, fetch and import data sets."""


@command(data, name="list", example="edgebio data list --data ~/recordings")
@folder_option
def list_(out: Output, root: Path | None) -> Document:
    """List the data sets by name, and whether they are on this machine."""
    found: list[dict[str, Any]] = []
    for name in datasets.names():
        described = datasets.get(name)
        folder = datasets.locate(name, root)
        found.append(
            {
                "name": name,
                "title": described.title,
                "rate": described.rate,
                "channels": described.channels,
                "classes": described.classes,
                "people": datasets.people(name, root),
                "state": download.state(name, folder),
                "folder": str(folder) if folder else None,
            }
        )
    out.table(
        "",
        ["name", "signal", "classes", "people", "here"],
        [
            [d["name"], f"{d['channels']} ch, {d['rate']:g} Hz", len(d["classes"]),
             len(d["people"]), d["state"]]
            for d in found
        ],
    )  # fmt: skip
    if any(d["state"] in ("no", "partly") for d in found):
        out.result("`edgebio data fetch NAME` brings what is not here, or names its page.")
    return {"datasets": found}


@command(
    data,
    example="edgebio data info emg-3dc\nedgebio data info emg-3dc --subject 2 --json\n"
    "edgebio data info mine.npz --plot mine.html",
)
@click.argument("name")
@click.option("--subject", "subjects", multiple=True, help="Only this person; can be repeated.")
@click.option(
    "--plot", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Draw one recording of each class, and spectra: .svg, .png or .html.",
)  # fmt: skip
@folder_option
def info(
    out: Output, name: str, subjects: tuple[str, ...], plot: Path | None, root: Path | None
) -> Document:
    """Describe data set NAME (or an imported .npz file): people, classes, seconds, amplitudes."""
    described = datasets.get(name)
    recordings = datasets.load(name, root, subjects or None)
    held = summary.summarise(recordings)
    if plot:
        from edgebio.report import signals

        out.note(f"plot: {signals.write(plot, described, recordings, held)}")
    terms = {"source": described.page, "licence": described.licence, "cite": described.citation}
    out.result(f"{described.name}: {described.title}")
    for what, text in terms.items():
        if text:
            out.result(f"  {what}: {text}")
    for person, reason in described.left_out.items():
        out.result(f"  left out unless named: {person} {reason}")
    out.result()
    out.table(
        "",
        ["what", "value"],
        [
            ["people", ", ".join(share.name for share in held.people)],
            ["sessions", ", ".join(described.sessions)],
            ["recordings", f"{held.recordings:,}"],
            ["length", f"{held.seconds:,.1f} s, of it {held.unlabelled_seconds:,.1f} s no class"],
            ["rate, channels", f"{described.rate:g} Hz, {described.channels}"],
            ["units", described.units],
            ["range", f"{held.lowest:,} to {held.highest:,}"],
            ["RMS of each channel", "  ".join(f"{value:.1f}" for value in held.rms)],
        ],
    )
    for title, shares in (("class", held.classes), ("person", held.people)):
        out.table(
            "",
            [title, "recordings", "sessions", "repetitions", "seconds"],
            [
                [s.name, s.recordings, s.sessions, s.repetitions, round(s.seconds, 1)]
                for s in shares
            ],
        )
    return {
        **dataclasses.asdict(described),
        "left_out": dict(described.left_out),
        "held": dataclasses.asdict(held),
    }


@command(data, name="fetch", example="edgebio data fetch emg-3dc")
@click.argument("name")
@click.option(
    "--from", "address", metavar="URL", help="Another address that carries the same files."
)
def fetch_(out: Output, name: str, address: str | None) -> Document:
    """Bring data set NAME from its public source into the cache: checked, and resumed where cut."""
    described = datasets.get(name)
    brought = download.fetch(name, address)
    folder = download.folder(name)
    out.note(f"licence: {described.licence}; cite: {described.citation}")
    out.result(
        f"{folder}: {len(brought)} files fetched, "
        f"{len(download.listing(name)) - len(brought)} were there; all have the published SHA-256"
    )
    return {
        "name": name,
        "folder": str(folder),
        "fetched": len(brought),
        "bytes": sum(file.size for file in brought),
        "files": len(download.listing(name)),
    }


@command(
    data,
    name="import",
    example="""
edgebio data import S1/*.csv --rate 1000 --name 'S{subject}/C{label}_R{repetition}.csv' -o mine.npz
edgebio data import day1.csv --rate 200 --lsb 0.0001 --units V --label-column grip -o mine.npz
edgebio data import night.edf --columns 'EEG Fpz-Cz' -o mine.npz
edgebio data import S*.mat --mapping lab.toml --name 'S{subject}.mat' -o mine.npz
""",
)
@click.argument(
    "paths", nargs=-1, required=True, metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)  # fmt: skip
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, .npz; give its path wherever a data set is named.",
)  # fmt: skip
@click.option(
    "--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="TOML",
    help="What the files' columns or arrays are and what they do not say; options go before it.",
)  # fmt: skip
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    metavar="HZ",
    help="Samples a second; a file's own `rate` where it has one.",
)
@click.option(
    "--lsb", type=click.FloatRange(min=0, min_open=True), metavar="X",
    help="Units of one count, for decimal numbers, and for channels of several steps.",
)  # fmt: skip
@click.option("--units", help="Unit of the numbers; otherwise what the file says, or counts.")
@click.option(
    "--columns", default="", metavar="NAMES",
    help="Columns that are channels, by name or number from 1, with commas; all by default.",
)  # fmt: skip
@click.option(
    "--label-column", metavar="NAME",
    help="Column (or array, or WFDB annotations such as atr) of every sample's class.",
)  # fmt: skip
@click.option("--label", help="Class of the whole file.")
@click.option("--subject", help="Who was recorded; 1 by default.")
@click.option("--session", help="At which sitting; 1 by default.")
@click.option(
    "--repetition", type=click.IntRange(min=0), metavar="N",
    help="Number of the (first) trial; 0 by default.",
)  # fmt: skip
@click.option(
    "--name", "template", metavar="TEMPLATE",
    help="How the files are named, of {subject}, {session}, {repetition}, {label} and *.",
)  # fmt: skip
def import_(
    out: Output,
    paths: tuple[Path, ...],
    output: Path,
    mapping: Path | None,
    columns: str,
    template: str | None,
    **told: object,
) -> Document:
    """Make one recordings file of FILEs: CSV, NPZ, .mat, EDF, BDF, or WFDB (.hea).

    A mapping file has tables [variables], [values] and [classes]: README.md shows one. Annotations
    of EDF+ become labels.
    """
    chosen = tuple(name.strip() for name in columns.split(",") if name.strip())
    base = layout.read(mapping) if mapping else layout.Layout()
    how = layout.given(base, columns=chosen or None, **told)
    recordings: list[Recording] = importing.gather(paths, how, template)
    written = files.save(output, recordings)
    held = summary.summarise(recordings)
    first = recordings[0]
    out.result(
        f"{written}: {held.recordings} recordings of {len(held.people)} people, "
        f"{len(held.classes)} classes, {held.seconds:,.1f} s, {first.channels} channels at "
        f"{first.rate:g} Hz"
    )
    return {"file": str(written), "rate": first.rate, "channels": first.channels,
            "units": first.units, **dataclasses.asdict(held)}  # fmt: skip
