"""``edgebio doctor``: what is installed, what is missing, and how to get it."""

from edgebio import doctor as examination
from edgebio.cli.common import Document, Output, command
from edgebio.errors import CheckFailedError


@command(example="edgebio doctor\nedgebio doctor --json")
def doctor(out: Output) -> Document:
    """Report what is installed, what is missing and how to get it; exit 1 if edgebio needs it."""
    findings = examination.examine()
    for finding in findings:
        mark = "ok" if finding.ok else "MISSING" if finding.needed else "-"
        out.result(f"{finding.name:<22} {mark:<8} {finding.status}")
        if not finding.ok and finding.remedy:
            out.result(f"{'':<22} {'':<8} -> {finding.remedy}")
    lacking = [finding.name for finding in findings if finding.needed and not finding.ok]
    document = {"ok": not lacking, "findings": [finding.document() for finding in findings]}
    if lacking:
        raise CheckFailedError(f"missing or wrong: {', '.join(lacking)}", document)
    return document
