"""Section ``[data]``: the recordings, and how they are prepared."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from edgebio.section import Section


class DataSettings(Section):
    """Recordings of a recipe.

    Attributes
    ----------
    dataset : str
        Name of a data set, see ``edgebio data list``.
    protocol : str
        Protocol whose first fold ``edgebio train`` uses; empty: the sessions below.
    train_sessions, test_sessions : tuple of str
        Sessions of ``edgebio train``; empty: it splits by repetitions.
    test_repetitions : int
        Without test sessions: this many repetitions, the last ones, are the test set.
    classes : dict
        By class name: the classes of the data set that it merges; others are left out. Empty: all
        classes as they are.
    channel_numbers : tuple of int
        Channels to use, from 1; empty: all. Its old name ``channels`` counted from 0.
    rate : float
        Rate in Hz to resample to, at which the board must sample; 0: that of the data set.
    band : tuple of float
        Corners in Hz of a zero-phase band-pass, for studies only: a device cannot compute it. For
        the device's filters see ``frontend.highpass`` and ``frontend.lowpass``.
    segments : {"step", "beats"}
        One segment every ``frontend.step_frames``, labeled with the class of most of its samples;
        or one per heartbeat, centered on it as closely as the frames allow.
    artifacts : float
        Leaves out segments that are flat, clipped, or whose range exceeds this multiple of the
        recording's median range; 0 keeps all.
    """

    old_keys: ClassVar[dict[str, str]] = {
        "windows": "segments", "artefacts": "artifacts", "channels": "channel_numbers",
    }  # fmt: skip

    dataset: str = "emg-3dc"
    protocol: str = ""
    train_sessions: tuple[str, ...] = ()
    test_sessions: tuple[str, ...] = ()
    test_repetitions: Annotated[int, Field(ge=0)] = 0
    classes: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    channel_numbers: tuple[Annotated[int, Field(ge=1)], ...] = ()
    rate: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 0.0
    band: tuple[float, ...] = ()
    segments: Literal["step", "beats"] = "step"
    artifacts: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="before")
    @classmethod
    def _read_old_value(cls, content: Any) -> Any:
        """Read ``windows = "stride"``, now ``segments = "step"``, and channels from 0."""
        if not isinstance(content, dict):
            return content
        if content.get("windows") == "stride":
            content = {**content, "windows": "step"}
        if isinstance(old := content.get("channels"), list | tuple):
            shifted = [k + 1 if type(k) is int and k >= 0 else k for k in old]
            content = {**content, "channels": shifted}
        return content

    @model_validator(mode="after")
    def _check_band(self) -> Self:
        if self.band and not (len(self.band) == 2 and 0 < self.band[0] < self.band[1]):
            raise ValueError("band is empty or two corners in Hz, the lower one above 0 first")
        return self
