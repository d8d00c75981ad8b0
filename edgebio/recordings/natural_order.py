"""The order in which people expect names: whole numbers by value, then text."""

import re
from collections.abc import Iterable

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


def sort_naturally(names: Iterable[str]) -> list[str]:
    """Sort names, each once: whole numbers by value, then text."""

    def key(name: str) -> tuple[bool, int, str]:
        number = _WHOLE_NUMBER.fullmatch(name)
        return number is None, int(name) if number else 0, name

    return sorted(set(names), key=key)
