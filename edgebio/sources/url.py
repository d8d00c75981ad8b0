"""URLs of live sources: ``scheme://place?key=value``, each key checked by the source's options."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from edgebio.errors import EdgebioError
from edgebio.suggest import nearest


@dataclass(frozen=True)
class SourceUrl:
    """A URL of a source in its parts.

    Attributes
    ----------
    text, scheme, place
        The whole; what is before ``://``; and what is between it and the options.
    options
        The options by name.
    """

    text: str
    scheme: str
    place: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, text: str, schemes: Mapping[str, object]) -> "SourceUrl":
        """Split a URL; refuse a scheme that is not among `schemes`."""
        scheme, separator, rest = text.partition("://")
        known = ", ".join(f"{name}://" for name in schemes)
        if not separator:
            raise EdgebioError(f"source {text!r}: not a URL; expected one of {known}")
        if scheme not in schemes:
            raise EdgebioError(
                f"source {text!r}: no scheme {scheme!r}{nearest(scheme, schemes)}; there are "
                f"{known}"
            )
        path, _, query = rest.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        return cls(text, scheme, unquote(path), dict(pairs))

    def check_options(self, *names: str) -> None:
        """Refuse options besides `names`."""
        for name in self.options:
            if name not in names:
                there = ", ".join(names) or "none"
                raise EdgebioError(
                    f"source {self.text!r}: no option {name!r}{nearest(name, names)}; there are "
                    f"{there}"
                )

    def number(
        self, name: str, default: float | None = None, *, least: float = 0.0, above: bool = True
    ) -> float | None:
        """Option `name` as a finite number above `least`, or, without `above`, not below it."""
        if name not in self.options:
            return default
        text = self.options[name]
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (value > least or (not above and value == least)) or math.isinf(value):
            bound = f"above {least:g}" if above else f"of at least {least:g}"
            raise EdgebioError(f"source {self.text!r}: {name} {text!r}; expected a number {bound}")
        return value

    def integer(self, name: str, default: int, *, least: int = 1, most: int = 1 << 31) -> int:
        """Option `name` as a whole number."""
        text = self.options.get(name, str(default))
        if not text.isdecimal() or not least <= int(text) <= most:
            raise EdgebioError(
                f"source {self.text!r}: {name} {text!r}; expected a whole number from {least} to "
                f"{most}"
            )
        return int(text)
