"""What the protocols share: bytes that are no message, and streams that are cut into frames."""

from typing import Protocol


class Malformed(ValueError):
    """The bytes are no whole, undamaged message; its words say what was seen and what was expected."""


class Splitter(Protocol):
    """Cuts what comes over one connection into frames; what it holds back is never longer than the longest frame."""

    def feed(self, data: bytes) -> list[bytes | Malformed]:
        """Return the frames that are whole now, in their order, and a `Malformed` for each stretch that is none."""
        ...
