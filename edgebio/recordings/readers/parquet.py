"""Parquet: columns as pandas and Polars write them, read by PyArrow piece by piece."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError, MissingToolError
from edgebio.recordings.import_options import METADATA, ImportOptions
from edgebio.recordings.readers.column_content import make_content, table_of_content
from edgebio.recordings.readers.column_roles import assign_roles
from edgebio.recordings.readers.damage import check_file, refuse_damage
from edgebio.recordings.readers.table import Table
from edgebio.recordings.readers.text_exports import TextExport
from edgebio.recordings.readers.text_layout import TextLayout, unit_in_name
from edgebio.recordings.readers.time_stamps import TimeStamps

_MAX_BYTES = 2 << 30
_ROWS = 1 << 16  # read at a time
_HEAD_ROWS = 2000


def read_parquet_table(path: Path, options: ImportOptions) -> Table:
    """Read a table with a row per sample; what its columns are is decided as in text files."""
    options.check_supported(path, "a Parquet file", METADATA | {"columns"})
    check_file(path, _MAX_BYTES, "Parquet file")
    try:
        from pyarrow import parquet  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        raise MissingToolError(f"{path.name} needs: pip install 'edgebio[parquet]'") from None
    with refuse_damage(path, "cut or not a Parquet file"):
        file = parquet.ParquetFile(path)
        layout = _layout(path, file)
        roles = assign_roles(path, options, TextExport("", layout, None))
        content = make_content(path, options, layout, roles, lambda row: f"row {row + 1}")
        stamps = {column.index: TimeStamps() for column in roles.time if column.is_text}
        numeric = [*(c.index for c in roles.time if not c.is_text), *roles.one_hot]
        parts: dict[int, list[npt.NDArray[np.float64]]] = {k: [] for k in (*numeric, *stamps)}
        for batch in file.iter_batches(_ROWS):
            content.counts.add(
                np.stack([_numbers(batch.column(k)) for k in roles.channels], axis=1)
            )
            for index in numeric:
                parts[index].append(_numbers(batch.column(index)).astype(np.float64))
            for index, parser in stamps.items():
                parts[index].append(parser.parse_all(_texts(batch.column(index))))
            for index, texts in content.texts.items():
                texts += _texts(batch.column(index))
        content.times = {index: np.concatenate(own) for index, own in parts.items()}
    return table_of_content(path, options, TextExport("", layout, None), roles, content)


def _layout(path: Path, file: Any) -> TextLayout:
    """Describe the columns as those of a text file, by the first rows."""
    from pyarrow import types

    schema = file.schema_arrow
    if not len(schema) or not file.metadata.num_rows:
        raise EdgebioError(f"{path}: no samples")
    for field in schema:
        if types.is_nested(field.type):
            raise EdgebioError(
                f"{path}: column {field.name} holds lists; make a column of each channel"
            )
    head = next(iter(file.iter_batches(_HEAD_ROWS)))
    columns = [_texts(head.column(k)) for k in range(len(schema))]
    names = tuple("index" if n.startswith("__index_level") else n for n in schema.names)
    texts = frozenset(
        k for k, field in enumerate(schema)
        if not (types.is_integer(field.type) or types.is_floating(field.type)
                or types.is_boolean(field.type) or types.is_decimal(field.type))
    )  # fmt: skip
    return TextLayout(
        separator=",",
        decimal=".",
        width=len(schema),
        names=names,
        units=tuple(unit_in_name(name) for name in names),
        header=(),
        first_line=1,
        trailing=False,
        text_columns=texts,
        rows=tuple(zip(*columns, strict=True)),
    )


def _numbers(column: Any) -> npt.NDArray[Any]:
    """Whole numbers as int64 where none is missing; otherwise float64, NaN where one is."""
    from pyarrow import types

    whole = types.is_integer(column.type) or types.is_boolean(column.type)
    values: npt.NDArray[Any]
    if whole and not column.null_count:
        values = np.asarray(column.to_numpy(zero_copy_only=False), np.int64)
    else:
        values = np.asarray(column.cast("float64").to_numpy(zero_copy_only=False), np.float64)
    return values


def _texts(column: Any) -> list[str]:
    return ["" if value is None else str(value) for value in column.to_pylist()]
