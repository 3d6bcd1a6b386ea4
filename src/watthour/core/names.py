"""Names of sites: how two of them are compared, and which id one makes."""

from __future__ import annotations

import re
from hashlib import sha256
from unicodedata import normalize

_LONGEST_ID = 48  # letters


def spelt(name: str) -> str:
    """Return a name as it is compared: however its letters are written.

    >>> spelt(" Zoe\u0301 ") == spelt("ZO\u00c9")
    True
    """
    return normalize("NFKC", name).strip().casefold()


def id_for(name: str) -> str:
    """Return the id that a name makes: plain lower-case letters and digits; empty where it has none.

    >>> id_for("Maison de Zoé"), id_for("Straße 12"), id_for("家")
    ('maison_de_zoe', 'strasse_12', '')
    """
    plain = normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def marked_id(name: str) -> str:
    """Return an id of 48 letters at most that no other name makes: marked where ``id_for`` leaves something out.

    >>> marked_id("flat"), marked_id("Küche/+ 1"), marked_id("家")
    ('flat', 'kuche_1_9c4f8257', 'c8ae97be')
    """
    plain = id_for(name)
    if plain == name and len(plain) <= _LONGEST_ID:
        return plain
    mark = sha256(name.encode()).hexdigest()[:8]
    return f"{plain[: _LONGEST_ID - len(mark) - 1]}_{mark}" if plain else mark
