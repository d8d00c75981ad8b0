"""The list of supported operators in the documentation, made from the compiler's registry.

python tools/operators.py            update docs/how-it-works/operators.txt
python tools/operators.py --check    exit with 1 if it is out of date
"""

import sys
from importlib import import_module
from pathlib import Path

from edgebio.compiler.operators import OPERATORS

LIST = Path(__file__).resolve().parents[1] / "docs" / "how-it-works" / "operators.txt"


def operators_table() -> str:
    """Markdown table with a row per module: its operators, and its docstring."""
    rows = ["| operators | supported | in `compiler/operators/` |", "| --- | --- | --- |"]
    for module in sorted({lowering.__module__ for lowering in OPERATORS.values()}):
        names, _, text = (import_module(module).__doc__ or "").splitlines()[0].partition(": ")
        operators = ", ".join(f"`{name}`" for name in names.split(", "))
        rows.append(f"| {operators} | {text.rstrip('.')} | `{module.rpartition('.')[2]}.py` |")
    return "\n".join(rows) + "\n"


def main() -> int:
    """Update or check the list."""
    table = operators_table()
    if "--check" not in sys.argv[1:]:
        LIST.write_text(table, "utf-8")
    elif not LIST.is_file() or LIST.read_text("utf-8") != table:
        print(f"{LIST.name} is out of date; run python tools/operators.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
