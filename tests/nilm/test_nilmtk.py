"""HDF5 as NILMTK writes it; the file is made here in that layout."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from watthour.core.errors import InvalidInput, MissingExtra
from watthour.nilm.layouts.nilmtk import nilmtk_house

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = 1_360_000_800


def made(path: Path, *, index_kind: bytes = b"datetime64[ns]") -> Path:
    h5py = pytest.importorskip("h5py", reason="h5py, the extra `nilm`, is not installed")
    with h5py.File(path, "w") as file:
        for meter, n_columns in ((1, 1), (2, 1), (10, 2)):
            rows = np.zeros(40, dtype=[("index", "<i8"), ("values_block_0", "<f4", (n_columns,))])
            rows["index"] = (BEGIN + 6 * np.arange(40)) * 1_000_000_000
            rows["values_block_0"] = [[meter * 100 + 1000 * column for column in range(n_columns)]] * 40
            table = file.create_dataset(f"building1/elec/meter{meter}/table", data=rows)
            table.attrs["index_kind"] = np.bytes_(index_kind)
    return path


def test_a_building_of_nilmtk(tmp_path: Path) -> None:
    source = nilmtk_house("n", made(tmp_path / "n.h5"), 1, [1, 2], {"fridge": 2})
    (house,) = source.pieces(60)
    assert house.time.tolist() == [BEGIN + 60 * n for n in range(4)]
    assert house.mains.tolist() == [300] * 4
    assert house.appliances["fridge"].tolist() == [200] * 4
    assert source.every_s == 6


def test_of_several_quantities_one_is_named(tmp_path: Path) -> None:
    path = made(tmp_path / "n.h5")
    with pytest.raises(InvalidInput, match=r"has 2 columns, such as active and apparent power. Say which one"):
        nilmtk_house("n", path, 1, [10], {})
    (house,) = nilmtk_house("n", path, 1, [10], {}, column=1).pieces(60)
    assert house.mains.tolist() == [2000] * 4
    with pytest.raises(InvalidInput, match=r"column = 2: .*It is from 0 to 1"):
        nilmtk_house("n", path, 1, [10], {}, column=2)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "n.h5")
    with pytest.raises(InvalidInput, match=r"no table building1/elec/meter7/table; it holds building1"):
        nilmtk_house("n", path, 1, [7], {})
    with pytest.raises(InvalidInput, match="no meter is named"):
        nilmtk_house("n", path, 1, [], {})
    with pytest.raises(InvalidInput, match="no such file"):
        nilmtk_house("n", tmp_path / "m.h5", 1, [1], {})
    (tmp_path / "m.h5").write_text("nothing")
    with pytest.raises(InvalidInput, match="no HDF5 file"):
        nilmtk_house("n", tmp_path / "m.h5", 1, [1], {})
    with pytest.raises(InvalidInput, match="not in nanoseconds"):
        nilmtk_house("n", made(tmp_path / "o.h5", index_kind=b"datetime64[s]"), 1, [1], {})


def test_without_h5py_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the one it stands for
        if name == "h5py":
            raise ImportError(name)
        return usual(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"pip install 'watthour\[nilm\]'"):
        nilmtk_house("n", tmp_path / "n.h5", 1, [1], {})
