"""`watthour tariff`: set from a file, shown, priced ahead and billed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from priced_home import METER, rows

from watthour.core.window import DAY
from watthour.store.sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Outcome

TARIFF = """
name = "Day and night"
currency = "EUR"
tax_percent = 20

[import]
kind = "time_of_use"

[[import.bands]]
name = "night"
price = 0.14
hours = "22:00-06:00"

[[import.bands]]
name = "day"
price = 0.21
hours = "06:00-22:00"
"""


def test_a_tariff_is_set_shown_priced_and_billed(watthour: Callable[..., Outcome], home: Path, tmp_path: Path) -> None:
    file = tmp_path / "tariff.toml"
    file.write_text(TARIFF)
    added = watthour("home", "add", "Flat", "--time-zone", "Europe/Berlin", "--channel", "energy:kWh:1h")
    assert added.code == 0
    unset = watthour("tariff", "show", "flat")
    assert (unset.code, "watthour tariff set flat" in unset.err) == (2, True)
    assert watthour("tariff", "set", "flat", str(file)).code == 0
    shown = watthour("tariff", "show", "flat")
    again = tmp_path / "again.json"
    again.write_text(shown.out)
    assert watthour("tariff", "set", "flat", str(again)).code == 0
    assert json.loads(watthour("tariff", "show", "flat").out) == json.loads(shown.out)

    assert "at all times" in shown.err
    file.write_text(TARIFF.replace("0.14", "0.18"))
    changed = watthour("tariff", "set", "flat", str(file), "--from", "2099-01-01")
    assert "which holds from 2099-01-01 00:00" in changed.err
    told = watthour("tariff", "show", "flat")
    assert (told.out, told.err.count("holds")) == (shown.out, 2)
    assert watthour("tariff", "show", "flat", "--at", "2099-06-01").out != shown.out
    for wrong in ("soon", ""):
        assert watthour("tariff", "set", "flat", str(file), "--from", wrong).code == 2
    now_on = watthour("tariff", "set", "flat", str(again))
    assert "Another one holds from 2099-01-01 00:00; --drop-later takes it away." in now_on.err
    assert watthour("tariff", "show", "flat").err.count("holds") == 2
    assert "Another one" not in watthour("tariff", "set", "flat", str(again), "--drop-later").err
    assert watthour("tariff", "show", "flat").err.count("holds") == 1

    ahead = json.loads(watthour("tariff", "prices", "flat", "--hours", "24", "--json").out)
    assert sorted({point["import_price"] for point in ahead["points"]}) == [0.168, 0.252]
    assert len(watthour("tariff", "prices", "flat", "--step", "30").out.splitlines()) == 97

    beyond = watthour("tariff", "bill", "flat", "--from", "9999-12-30", "--to", "9999-12-31")
    assert (beyond.code, "there are no data for that time" in beyond.err) == (2, True)
    empty = watthour("tariff", "bill", "flat")
    assert empty.code != 0
    assert "no reading of home.flat.energy" in empty.err
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    store = open_store(f"sqlite:///{home / 'watthour.db'}")
    store.append(rows(METER, now - 3 * DAY, [1.0] * 71))
    store.close()
    bill = watthour("tariff", "bill", "flat")
    assert bill.code == 0
    assert bill.out.splitlines()[-1].startswith("total")
    told = json.loads(watthour("tariff", "bill", "flat", "--json").out)
    hours = {line["name"]: line["quantity"] for line in told["lines"] if line["kind"] == "energy"}
    assert told["total"] == round(1.2 * (0.14 * hours["night"] + 0.21 * hours["day"]), 4)
    first = str((now - timedelta(days=9)).date())
    assert "Not metered, and not billed" in watthour("tariff", "bill", "flat", "--from", first).err

    assert watthour("home", "remove", "flat", "--delete-readings").code == 0
    assert watthour("tariff", "show", "flat").code == 2


def test_a_file_that_cannot_be_read_and_a_price_that_looks_like_a_slip(
    watthour: Callable[..., Outcome], tmp_path: Path
) -> None:
    assert watthour("home", "add", "Flat", "--time-zone", "Europe/Berlin").code == 0
    file = tmp_path / "tariff.toml"
    assert "it cannot be read" in watthour("tariff", "set", "flat", str(file)).err
    file.write_text("name = ")
    assert "it is damaged" in watthour("tariff", "set", "flat", str(file)).err
    file.write_text(TARIFF.replace("0.14", "14").replace("0.21", "21"))
    asked = watthour("tariff", "set", "flat", str(file))
    assert (asked.code, "cent/kWh" in asked.err, "--confirm" in asked.err) == (2, True, True)
    assert watthour("tariff", "set", "flat", str(file), "--confirm").code == 0
    file.write_text('price_unit = "cent/kWh"\n' + TARIFF.replace("0.14", "14").replace("0.21", "21"))
    assert watthour("tariff", "set", "flat", str(file)).code == 0
