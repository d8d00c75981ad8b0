"""The order that a person expects of names."""

import re
from collections.abc import Iterable

_WHOLE = re.compile(r"-?[0-9]{1,18}")


def natural(names: Iterable[str]) -> list[str]:
    """Sort names, each once: whole numbers by value, then words."""

    def key(name: str) -> tuple[bool, int, str]:
        number = _WHOLE.fullmatch(name)
        return number is None, int(name) if number else 0, name

    return sorted(set(names), key=key)
