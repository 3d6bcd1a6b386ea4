"""LightGBM without the libraries that it imports only for callers who use them."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

# LightGBM imports each of these if it is installed, and works without it: they serve its scikit-learn, pandas, Dask and
# plotting interfaces, which nothing here calls. Together they take 130 MB and two and a half seconds.
UNUSED = frozenset({"dask", "graphviz", "joblib", "matplotlib", "pandas", "sklearn"})


def import_lean_lightgbm() -> ModuleType:
    """Import LightGBM alone; the first import in a process decides, later ones find what it left.

    It is for a process that is all ours, such as a server: LightGBM has no `LGBMRegressor` and takes no pandas frame
    afterwards, so a notebook, whose owner may want both, imports it as usual.
    """
    absent = _Absent(UNUSED - sys.modules.keys())
    sys.meta_path.insert(0, absent)
    try:
        import lightgbm
    finally:
        sys.meta_path.remove(absent)
    module: ModuleType = lightgbm
    return module


class _Absent:
    """Lets the thread that made it find some packages as if they were not installed."""

    def __init__(self, packages: frozenset[str]) -> None:
        self._packages = packages
        self._thread = threading.get_ident()

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Refuse what is not wanted and leave everything else to the usual finders."""
        if threading.get_ident() == self._thread and name.partition(".")[0] in self._packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None
