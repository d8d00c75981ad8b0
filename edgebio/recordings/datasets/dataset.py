"""What is known of a data set besides its samples."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DataSet:
    """A named data set: where it comes from, under which terms, and what its files hold.

    Attributes
    ----------
    name, title
        Name on the command line, and one line of description.
    licence, citation
        Terms as its publisher states them, and the work to cite.
    rate
        Samples a second.
    channels
        Channels of a sample.
    units
        What one count is, as published.
    classes
        Class names; labels index them.
    sessions
        Names of the sittings of each person.
    page
        Where a person reads about it; empty where nothing is published.
    files
        Address that the paths of its checksum list are appended to; empty for a set that is not
        published file by file, or asks for registration: people get it from its page.
    computed
        The set has no files: it is computed.
    left_out
        People that are loaded only when named, with the reason.
    """

    name: str
    title: str
    licence: str
    citation: str
    rate: float
    channels: int
    units: str
    classes: tuple[str, ...]
    sessions: tuple[str, ...]
    page: str = ""
    files: str = ""
    computed: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)
