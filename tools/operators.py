"""The list of supported operators in the documentation, and the proof of all of them.

python tools/operators.py                            update docs/how-it-works/operators.txt
python tools/operators.py --check                    exit with 1 if it is out of date
python tools/operators.py --prove 1000 host          compare random networks with tflite-micro
python tools/operators.py --prove 1000 mps2-an386    the same on an emulated board

`host` runs the kernels of the DSP extension in C, under the address and undefined-behavior
sanitizers. Exit with 1 if a byte differs; operators that occur in no network are listed.
"""

import sys
from importlib import import_module
from pathlib import Path

from edgebio.compiler.operators import OPERATORS

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "docs" / "how-it-works" / "operators.txt"
_BATCH = 40  # networks in one program or image


def operators_table() -> str:
    """Markdown table with a row per module: its operators, and its docstring."""
    rows = ["| operators | supported | in `compiler/operators/` |", "| --- | --- | --- |"]
    for module in sorted({lowering.__module__ for lowering in OPERATORS.values()}):
        names, _, text = (import_module(module).__doc__ or "").splitlines()[0].partition(": ")
        operators = ", ".join(f"`{name}`" for name in names.split(", "))
        rows.append(f"| {operators} | {text.rstrip('.')} | `{module.rpartition('.')[2]}.py` |")
    return "\n".join(rows) + "\n"


def prove_all(count: int, place: str) -> int:
    """Compare so many random networks on this machine or on an emulated board."""
    sys.path.insert(0, str(ROOT))
    from tests.compiler.every_operator import Proof, prove
    from tests.compiler.model_builder import load_schema
    from tests.compiler.reference import emulated, sanitized

    load_schema()
    proof, run = Proof(), sanitized("dsp") if place == "host" else emulated(place)
    for start in range(0, count, _BATCH):
        prove(range(start, min(start + _BATCH, count)), run, proof)
        print(f"{place}: {proof}", file=sys.stderr, flush=True)
    print(f"{place}: {proof}")
    print(", ".join(f"{number} {kind}" for kind, number in sorted(proof.operators.items())))
    if proof.missing:
        print(f"in no network: {', '.join(sorted(proof.missing))}")
    return 1 if proof.differing else 0


def main() -> int:
    """Update or check the list, or prove the operators."""
    if sys.argv[1:2] == ["--prove"]:
        return prove_all(int(sys.argv[2]), sys.argv[3])
    table = operators_table()
    if "--check" not in sys.argv[1:]:
        LIST.write_text(table, "utf-8")
    elif not LIST.is_file() or LIST.read_text("utf-8") != table:
        print(f"{LIST.name} is out of date; run python tools/operators.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
