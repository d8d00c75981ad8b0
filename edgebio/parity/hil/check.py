"""Results of hardware in the loop: checks, as JSON and as JUnit XML."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgebio import storage
from edgebio.parity.comparison import Part, merge_parts


@dataclass(frozen=True)
class Check:
    """One check of a board: its stages or layers, if any, and other results.

    `ok` is None if the check was skipped; `note` is the main result, or what is wrong.
    """

    name: str
    ok: bool | None
    note: str
    parts: tuple[Part, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_parts(cls, name: str, parts: Sequence[Part], **metrics: Any) -> "Check":
        """Check that holds if values were compared and none differs."""
        merged = merge_parts(parts)
        compared = sum(part.compared for part in merged)
        differing = sum(part.differing for part in merged)
        first = next((part.first for part in merged if part.first), "")
        note = first or f"{differing} of {compared:,} values differ"
        metrics |= {"compared": compared, "differing": differing}
        return cls(name, compared > 0 and not differing, note, tuple(merged), metrics)

    def document(self) -> dict[str, Any]:
        """JSON form."""
        measures = [
            {
                "name": part.name, "compared": part.compared, "differing": part.differing,
                "worst": part.worst, "cosine": round(part.cosine, 9), "snr_db": part.snr_db,
                "first": part.first or None,
            }
            for part in self.parts
        ]  # fmt: skip
        head = {"name": self.name, "ok": self.ok, "note": self.note}
        return {**head, **self.metrics, "measures": measures}


def write_junit(path: Path, board: str, checks: Sequence[Check]) -> None:
    """Write the checks as JUnit XML, one test case each."""
    suite = ET.Element(
        "testsuite", name=f"edgebio hil {board}", tests=str(len(checks)),
        failures=str(sum(check.ok is False for check in checks)),
        skipped=str(sum(check.ok is None for check in checks)),
    )  # fmt: skip
    for check in checks:
        case = ET.SubElement(suite, "testcase", classname=f"hil.{board}", name=check.name)
        if not check.ok:
            ET.SubElement(case, "skipped" if check.ok is None else "failure", message=check.note)
        ET.SubElement(case, "system-out").text = check.note
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    storage.write_bytes(path, ET.tostring(root, "utf-8", xml_declaration=True) + b"\n")
