"""BrainVision: a header (.vhdr) that names a binary file of samples and one of markers.

Format: BrainVision Core Data Format 1.0 (Brain Products): sections of an INI file; samples are
multiplexed or vectorized 16-bit integers or 32-bit floats, little endian. Markers that last more
than one sample label what they cover; others are moments.
"""

import configparser
import re
from pathlib import Path

import numpy as np

from edgebio.errors import EdgebioError
from edgebio.recordings.import_options import ImportOptions
from edgebio.recordings.readers.channel_scale import select_channels, table_of_channels
from edgebio.recordings.readers.damage import check_file, refuse_damage
from edgebio.recordings.readers.events import (
    Event,
    find_event_table,
    label_samples,
    read_event_table,
)
from edgebio.recordings.readers.table import Table
from edgebio.recordings.readers.text_file import TextFile

_MAX_BYTES = 1 << 30
_DTYPES = {"INT_16": "<i2", "IEEE_FLOAT_32": "<f4"}


def read_brainvision_table(path: Path, options: ImportOptions) -> Table:
    """Read the samples that a header names; channels of one unit."""
    options.check_supported(path, "a BrainVision file", {"columns"})
    header = _read_sections(path)
    common = header["Common Infos"]
    with refuse_damage(path, "not a BrainVision header"):
        count = int(common["NumberOfChannels"])
        rate = 1e6 / float(common["SamplingInterval"])
        dtype = np.dtype(_DTYPES[header["Binary Infos"]["BinaryFormat"].upper()])
        fields = [
            [part.replace(r"\1", ",") for part in header["Channel Infos"][f"Ch{k}"].split(",")]
            for k in range(1, count + 1)
        ]
        names = [field[0] for field in fields]
        steps = np.array([float(field[2] or 1) if len(field) > 2 else 1.0 for field in fields])
        units = [field[3] if len(field) > 3 and field[3] else "uV" for field in fields]
        is_multiplexed = common.get("DataOrientation", "MULTIPLEXED").upper() == "MULTIPLEXED"
    data = _beside(path, common["DataFile"])
    check_file(data, _MAX_BYTES, "BrainVision file")
    values = np.fromfile(data, dtype)
    if not count or len(values) % count:
        raise EdgebioError(f"{data}: {len(values):,} values of {count} channels: the file is cut")
    matrix = values.reshape(-1, count) if is_multiplexed else values.reshape(count, -1).T
    indices = select_channels(path, options, names)
    labels = None
    notes: tuple[str, ...] = ()
    if options.label is None:
        labels, notes = label_samples(path, _events(path, common, rate), len(matrix), rate)
    names, units = [names[k] for k in indices], [units[k] for k in indices]
    metadata = {} if labels is None else {"labels": labels}
    if dtype.kind == "f":
        if len(set(units)) > 1:
            raise EdgebioError(f"{path}: channels of several units; choose by --columns")
        return Table(
            path=path,
            values=matrix[:, indices].astype(np.float64) * steps[indices],
            locate=lambda row, column: f"{path}: sample {row}, channel {names[column]}",
            metadata=metadata,
            rate=rate,
            units=units[0],
            notes=notes,
        )
    return table_of_channels(
        path,
        options,
        matrix[:, indices].astype(np.int64),
        names=names,
        units=units,
        steps=steps[indices],
        zeros=np.zeros(len(indices), np.int64),
        notes=notes,
        rate=rate,
        metadata=metadata,
    )


def _events(path: Path, common: configparser.SectionProxy, rate: float) -> list[Event]:
    """Events of the table beside the file; otherwise its markers."""
    if table := find_event_table(path):
        return read_event_table(table)
    name = common.get("MarkerFile", "")
    markers = _beside(path, name) if name else path
    if not name or not markers.is_file():
        return []
    events = []
    sections = _read_sections(markers)
    if "Marker Infos" not in sections:
        return []
    for entry in sections["Marker Infos"].values():
        kind, text, position, size, *_ = [*(entry or "").split(","), "", "", "", ""]
        if kind == "New Segment" or not position.strip().isdecimal():
            continue
        length = int(size) if size.strip().isdecimal() else 1
        label = text.strip() or kind.strip()
        duration = length / rate if length > 1 else 0.0
        events.append(Event((int(position) - 1) / rate, duration, label))
    return events


def _read_sections(path: Path) -> configparser.ConfigParser:
    content = TextFile(path).head
    if not re.match(r"\s*Brain ?Vision", content):
        raise EdgebioError(f"{path}: not a BrainVision file: no such word in its first line")
    sections = configparser.ConfigParser(
        interpolation=None, comment_prefixes=(";",), strict=False, allow_no_value=True
    )
    sections.optionxform = str  # type: ignore[assignment, method-assign]
    body = content[content.index("[") :] if "[" in content else ""
    with refuse_damage(path, "not a BrainVision file"):
        sections.read_string(re.sub(r"(?s)\[Comment\].*?(?=\n\[|\Z)", "", body))
        if path.suffix.lower() == ".vhdr":
            _ = sections["Common Infos"]["DataFile"]
    return sections


def _beside(path: Path, name: str) -> Path:
    """File of a name in the folder of the header; ``$b`` is the header's own name."""
    name = name.strip().replace("$b", path.stem)
    if Path(name).name != name:
        raise EdgebioError(f"{path}: names {name!r}; expected a file in its own folder")
    return path.with_name(name)
