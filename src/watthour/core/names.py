"""Names of sites: how two of them are compared, and which id one makes."""

from __future__ import annotations

import re
from unicodedata import normalize


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
