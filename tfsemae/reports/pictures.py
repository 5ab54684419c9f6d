"""Pictures of ledgers as a page embeds them."""

import base64
import pathlib
import re
import struct
from typing import NamedTuple

from tfsemae.reports.ledger import Picture

_PNG = b"\x89PNG\r\n\x1a\n"
_KIND = re.compile(r"[A-Za-z]+\d*(?:_[a-z]+)?")


class Figure(NamedTuple):
    """An embedded picture; width and height in pixels."""

    file: str
    caption: str
    alternative: str
    uri: str
    width: int
    height: int


def embed(folder: pathlib.Path, picture: Picture) -> Figure:
    """Reads a picture into a data URI.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is no PNG.
    """
    path = folder / picture.file
    content = path.read_bytes()
    if not content.startswith(_PNG):
        raise ValueError(f"{path} is not a PNG; draw it again.")
    # The header gives the size, so that the page keeps the place of the picture.
    width, height = struct.unpack(">II", content[16:24])
    uri = "data:image/png;base64," + base64.b64encode(content).decode("ascii")
    # The first sentence; the stop of "Fig. 3" does not end one.
    alternative = re.split(r"\.\s+(?=[A-Z])", picture.caption, maxsplit=1)[0]
    return Figure(picture.file, picture.caption, alternative, uri, width, height)


def bytes_in_base64(characters: int) -> int:
    """Bytes that fit into so many characters of base64; 0 for a negative number."""
    return max(characters, 0) * 3 // 4


class Selection:
    """Decides which pictures a page embeds: the first of each kind, within a size.

    The kind is the beginning of the file's name: `figure6_joint` of
    `figure6_joint_shuffled0.001.png`.
    """

    def __init__(self, most_bytes: int) -> None:
        """Args: most_bytes: size of all embedded pictures, before base64."""
        self._most_bytes = most_bytes
        self._kinds: set[str] = set()
        self._bytes = 0

    def takes(self, folder: pathlib.Path, picture: Picture) -> bool:
        """Whether the page embeds this picture as well; call once for each.

        Raises:
            FileNotFoundError: if the picture is missing.
        """
        size = (folder / picture.file).stat().st_size
        found = _KIND.match(picture.file)
        kind = found[0] if found else picture.file
        if kind in self._kinds or self._bytes + size > self._most_bytes:
            return False
        self._kinds.add(kind)
        self._bytes += size
        return True
