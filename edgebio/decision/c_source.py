"""The decision of one model as C: its generated configuration and the sources to compile."""

from pathlib import Path

from edgebio import generated_c, storage
from edgebio.decision.outputs import Outputs, constants
from edgebio.decision.spec import DecisionSettings

FOLDER = storage.assets("firmware_assets") / "decision"
"""Folder of the decision's C and its header."""


def write(folder: Path, settings: DecisionSettings, outputs: Outputs) -> list[Path]:
    """Write ``decision_config.h`` and ``decision_config.c``; returns the sources to compile."""
    c = constants(settings, outputs)
    table = ""
    if c.exponential:
        rows = [c.exponential[i : i + 12] for i in range(0, len(c.exponential), 12)]
        body = "".join(f"    {', '.join(map(str, row))},\n" for row in rows)
        table = f"static const uint16_t exponential[{len(c.exponential)}] = {{\n{body}}};\n\n"
    storage.write_text(folder / "decision_config.h", _HEADER)
    storage.write_text(
        folder / "decision_config.c",
        generated_c.NOTICE
        + f"""\
/* Vote of {c.votes} segments, confidence at least {settings.confidence:g}. The host can change all
 * but the classes and the exponentials. Generated. */
#include "decision_config.h"

{table}const eb_decision_config eb_decision_settings = {{
    .classes = {c.classes},
    .votes = {c.votes},
    .hold = {c.hold},
    .rest = {c.rest},
    .least = {c.least},
    .exponential = {"exponential" if c.exponential else "0"},
    .limit = {c.limit}u,
    .onset = {c.onset}u,
    .timeout_ms = {c.timeout_ms},
}};
""",
    )
    return [FOLDER / "eb_decision.c", folder / "decision_config.c"]


_HEADER = generated_c.header(
    "/* Decision settings of the model. Generated. */\n",
    "EB_DECISION_CONFIG_H",
    includes='#include "eb_decision.h"\n',
    declarations="extern const eb_decision_config eb_decision_settings;\n",
)
