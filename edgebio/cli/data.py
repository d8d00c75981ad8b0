"""``edgebio data``: list, describe, fetch and import data sets."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import click

from edgebio import datasets
from edgebio.cli.common import Document, Group, Output, command
from edgebio.cli.options import (
    PATH,
    POSITIVE,
    check_output,
    data_option,
    force_option,
    output_option,
    subject_option,
)
from edgebio.datasets import DataSet, download
from edgebio.errors import EdgebioError
from edgebio.recordings import ImportOptions, import_recordings, save_recordings
from edgebio.recordings.importing.file_names import find_files
from edgebio.recordings.importing.mapping_file import read_mapping
from edgebio.recordings.recordings_file import check_alike
from edgebio.recordings.summary import Summary, summarize


@click.group(cls=Group, epilog="\b\nExample:\n  edgebio data list\n  edgebio data info emg-3dc")
def data() -> None:
    """List, describe, fetch and import data sets."""


@command(data, name="list", example="edgebio data list --data ~/recordings")
@data_option
def list_(out: Output, data: Path | None) -> Document:
    """List the data sets, and whether they are on this machine."""
    documents: list[Document] = []
    for name in datasets.names():
        dataset, folder = datasets.get(name), datasets.locate(name, data)
        documents.append({
            "name": name,
            "title": dataset.title,
            "rate": dataset.rate,
            "channels": dataset.channels,
            "classes": dataset.classes,
            "people": datasets.subjects(name, data),
            "state": download.state(name, folder),
            "folder": str(folder) if folder else None,
        })  # fmt: skip
    out.table(
        "",
        ["name", "signal", "classes", "subjects", "here"],
        [
            [d["name"], f"{d['channels']} ch, {d['rate']:g} Hz", len(d["classes"]),
             len(d["people"]), d["state"]]
            for d in documents
        ],
    )  # fmt: skip
    if any(d["state"] in ("no", "partly") for d in documents):
        out.result("`edgebio data fetch NAME` downloads what is missing, or names its page.")
    return {"datasets": documents}


@command(
    data,
    example="edgebio data info emg-3dc\nedgebio data info emg-3dc --subject 2 --json\n"
    "edgebio data info mine.npz --plot mine.html",
)
@click.argument("name")
@subject_option
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Draw one recording of each class, and spectra: .svg, .png or "
              ".html.")  # fmt: skip
@data_option
def info(
    out: Output, name: str, subjects: tuple[str, ...] | None, plot: Path | None, data: Path | None
) -> Document:
    """Describe data set NAME (or an imported .npz file): subjects, classes, duration, amplitude."""
    dataset = datasets.get(name)
    recordings = datasets.load(name, data, subjects)
    summary = summarize(recordings)
    if plot:
        from edgebio.datasets.signal_report import write_signal_report

        out.note(f"plot: {write_signal_report(plot, dataset, recordings, summary)}")
    out.result(f"{dataset.name}: {dataset.title}")
    terms = {"source": dataset.page, "license": dataset.license, "cite": dataset.citation}
    for term, text in terms.items():
        if text:
            out.result(f"  {term}: {text}")
    for subject, reason in dataset.excluded_subjects.items():
        out.result(f"  excluded unless named: {subject} {reason}")
    out.result()
    out.table(
        "",
        ["property", "value"],
        [
            ["subjects", ", ".join(share.name for share in summary.subjects)],
            ["sessions", ", ".join(dataset.sessions)],
            ["recordings", f"{summary.recordings:,}"],
            ["duration", f"{summary.seconds:,.1f} s, {summary.unlabeled_seconds:,.1f} s unlabeled"],
            ["rate, channels", f"{dataset.rate:g} Hz, {dataset.channels}"],
            ["units", dataset.units],
            ["range", f"{summary.lowest:,} to {summary.highest:,}"],
            ["RMS of each channel", "  ".join(f"{value:.1f}" for value in summary.rms)],
        ],
    )
    for title, shares in (("class", summary.classes), ("subject", summary.subjects)):
        out.table(
            "",
            [title, "recordings", "sessions", "repetitions", "seconds"],
            [
                [s.name, s.recordings, s.sessions, s.repetitions, round(s.seconds, 1)]
                for s in shares
            ],
        )
    return {**_document(dataset), "held": _document(summary)}


@command(
    data, name="fetch", example="edgebio data fetch emg-3dc\nedgebio data fetch emg-3dc --subject 2"
)
@click.argument("name")
@click.option("--from", "address", metavar="URL", help="Another address with the same files.")
@subject_option
def fetch_(
    out: Output, name: str, address: str | None, subjects: tuple[str, ...] | None
) -> Document:
    """Download data set NAME into the cache: checked, and resumed where it was interrupted."""
    dataset = datasets.get(name)
    fetched = download.fetch(name, address, subjects)
    folder, files = download.cache_folder(name), download.files_of(name, subjects)
    out.note(f"license: {dataset.license}; cite: {dataset.citation}")
    out.result(
        f"{folder}: {len(fetched)} files fetched, {len(files) - len(fetched)} were there; all have "
        "the published SHA-256"
    )
    return {
        "name": name,
        "folder": str(folder),
        "fetched": len(fetched),
        "bytes": sum(file.size for file in fetched),
        "files": len(files),
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
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=PATH)
@output_option("File to write, .npz; give its path wherever a data set is named.", "FILE")
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              metavar="TOML",
              help="Names of the files' columns or arrays, and what the files do not state; "
              "options take precedence.")  # fmt: skip
@click.option("--rate", type=POSITIVE, metavar="HZ", help="Sampling rate; default: the file's own.")
@click.option("--lsb", type=POSITIVE, metavar="X",
              help="Units of one count, for decimal numbers, and for channels of several step "
              "sizes.")  # fmt: skip
@click.option("--units", help="Unit of the numbers; default: the file's, or counts.")
@click.option("--columns", default="", metavar="NAMES",
              help="Channels, by column name or number from 1, separated by commas; default: "
              "all.")  # fmt: skip
@click.option("--label-column", metavar="NAME",
              help="Column (or array, or WFDB annotations such as atr) of every sample's "
              "class; several, separated by commas: 1 in the column of the class.")  # fmt: skip
@click.option("--label", help="Class of the whole file.")
@click.option("--repetitions", type=click.Choice(["runs", "files", "column"]),
              help="What a repetition is: each run of a label, a file, or the number in a "
              "column; default: runs where a column holds labels.")  # fmt: skip
@click.option("--gaps", type=click.Choice(["cut", "fill", "refuse"]),
              help="Missing numbers and lost samples: cut the recording there, repeat the last "
              "sample, or refuse the file; default: cut where samples are lost, refuse where a "
              "number is missing.")  # fmt: skip
@click.option("--remove-offset", is_flag=True,
              help="Subtract each channel's offset, the median of its first 1,000 "
              "samples.")  # fmt: skip
@click.option("--skip-bad", is_flag=True,
              help="Leave out files that cannot be read, and list them.")  # fmt: skip
@force_option
@click.option("--subject", help="Subject; default: 1.")
@click.option("--session", help="Session; default: 1.")
@click.option("--repetition", type=click.IntRange(min=0), metavar="N",
              help="Number of the (first) trial; default: 0.")  # fmt: skip
@click.option("--name", "template", metavar="TEMPLATE",
              help="Pattern of the file names, with {subject}, {session}, {repetition}, {label} "
              "and *.")  # fmt: skip
def import_(
    out: Output,
    paths: tuple[Path, ...],
    output: Path,
    mapping: Path | None,
    columns: str,
    template: str | None,
    skip_bad: bool,
    force: bool,
    **options: object,
) -> Document:
    """Make one recordings file of PATHs: text, NumPy, .mat, Parquet, HDF5, EDF, WFDB, XDF and more.

    A PATH is a file, a folder, or a pattern such as 'day1/**/*.csv'. Separator, header, names,
    units, rate and times of a text file are detected, and columns or arrays named as labels. A
    mapping file has tables [variables], [values] and [classes]. Annotations of EDF+ become labels.
    """
    output = output if output.suffix == ".npz" else output.with_name(f"{output.name}.npz")
    check_output(output, force)
    names = tuple(name.strip() for name in columns.split(",") if name.strip())
    base = read_mapping(mapping) if mapping else ImportOptions()
    base = base.override(columns=names or None, **options)
    skipped: list[EdgebioError] | None = [] if skip_bad else None
    recordings = import_recordings(find_files(paths), base, template, skipped)
    for error in skipped or ():
        out.note(f"left out: {error}")
    check_alike(recordings)
    summary, first = summarize(recordings), recordings[0]
    if max(summary.levels) == 1:
        raise EdgebioError(
            f"every channel is one count throughout: {first.units} is too coarse a step; give a "
            "smaller one: --lsb X"
            if base.lsb
            else "every channel is one number throughout: no signal"
        )
    written = save_recordings(output, recordings)
    out.result(
        f"{written}: {summary.recordings} recordings of {len(summary.subjects)} subjects, "
        f"{len(summary.classes)} classes, {summary.seconds:,.1f} s, {first.channels} channels at "
        f"{first.rate:g} Hz"
    )
    size = "" if first.units == "counts" else f", each {first.units}"
    out.result(
        f"counts from {summary.lowest:,} to {summary.highest:,}{size}; "
        f"{min(summary.levels):,} to {max(summary.levels):,} different ones in a channel"
    )
    for note in _notes(summary, first.units, base.lsb):
        out.note(note)
    return {"file": str(written), "rate": first.rate, "channels": first.channels,
            "units": first.units, **_document(summary),
            "skipped": [str(error) for error in skipped or ()]}  # fmt: skip


def _notes(summary: Summary, units: str, lsb: float | None) -> Iterator[str]:
    """Yield what a user should know before training on these recordings."""
    channels = list(enumerate(summary.levels, 1))
    if dead := ", ".join(str(number) for number, levels in channels if levels == 1):
        yield f"channels that never change: {dead}"
    few = [(levels, number) for number, levels in channels if 1 < levels < _FEW_LEVELS]
    if few:
        least, number = min(few)
        step = "is the step too coarse? Give a smaller one: --lsb X" if lsb else "is it a signal?"
        others = f" ({len(few) - 1} more have under {_FEW_LEVELS})" if len(few) > 1 else ""
        yield f"channel {number} has {least} different counts only: {step}{others}"
    if lsb and units.endswith(" counts"):
        yield "the unit of the numbers is not known: name it by --units, such as --units mV"
    if not summary.classes:
        yield "no labels, which training needs: --label-column, --label, or {label} in --name"


_FEW_LEVELS = 64
_INTERNAL = {"subject_prefix"}  # of the names of files, for downloads
# Keys of the JSON documents are stable, whatever the fields are called.
_FORMER_KEYS = {
    "license": "licence",
    "download_url": "files",
    "excluded_subjects": "left_out",
    "unlabeled_seconds": "unlabelled_seconds",
    "subjects": "people",
}


def _document(record: DataSet | Summary) -> Document:
    fields = dataclasses.asdict(record)
    return {
        _FORMER_KEYS.get(name, name): value
        for name, value in fields.items()
        if name not in _INTERNAL
    }
