"""The migrations lead to the tables that the code speaks to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from builders import device, events, home_channel, samples
from sqlalchemy import create_engine, inspect

from watthour.core.forecast import Covariate
from watthour.core.frames import Maker
from watthour.core.window import HOUR, Window
from watthour.store import migrate
from watthour.store.sql import open_store
from watthour.store.tables import metadata
from watthour.workflows.sites import find_context

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_new_store_has_the_tables_the_code_speaks_to(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'watthour.db'}"
    open_store(url).close()
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": migrate.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []
        assert "alembic_version" not in inspect(connection).get_table_names()
    engine.dispose()


def test_the_newest_migration_is_the_one_this_version_knows() -> None:
    names = sorted(path.name for path in (migrate.MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert names[-1].startswith(f"{migrate.HEAD}_")


def test_opening_a_store_again_runs_no_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'watthour.db'}"
    open_store(url).close()
    monkeypatch.setattr(migrate, "upgrade", None)
    open_store(url).close()


def test_a_store_of_the_first_version_keeps_its_rows_and_learns_places_covariates_and_makers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'watthour.db'}"
    engine = create_engine(url)
    with engine.begin() as connection:
        migrate.upgrade(connection, to="0001")
        connection.exec_driver_sql(
            "INSERT INTO sites VALUES ('ny', 'New York', 'region', 'America/New_York', 41, -74, 0)"
        )
        for key, name, quantity, unit in (
            (1, "grid.ny.demand", "energy", "MWh"),
            (2, "grid.ny.weather.nyc.temperature_2m", "temperature", "degC"),
        ):
            connection.exec_driver_sql(
                "INSERT INTO channels VALUES (?, ?, 'ny', NULL, ?, ?, 3600000000, 0, NULL, NULL, NULL)",
                (key, name, quantity, unit),
            )
        for key, (channel, model) in enumerate(
            [(1, "operator"), (1, "seasonal_naive"), (1, "day_process-2026"), (2, "gfs")]
        ):
            connection.exec_driver_sql("INSERT INTO forecast_series VALUES (?, ?, ?, 0.5)", (key, channel, model))
            connection.exec_driver_sql("INSERT INTO forecasts VALUES (?, 0, 0, 0, 0, 1.0, 0)", (key,))
    engine.dispose()
    store = open_store(url)
    context = find_context(store, [], "ny")
    assert (context.channel.id, context.rivals) == ("grid.ny.demand", ("operator",))
    assert context.covariates == (Covariate("grid.ny.weather.nyc.temperature_2m", "temperature_2m", 1.0, "nyc"),)
    assert store.models_of("grid.ny.demand") == {
        "day_process-2026": Maker.OWN,
        "operator": Maker.RIVAL,
        "seasonal_naive": Maker.BASELINE,
    }
    assert store.models_of("grid.ny.weather.nyc.temperature_2m") == {"gfs": Maker.RIVAL}
    store.close()


def test_a_store_of_the_second_version_keeps_its_rows_and_takes_homes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'watthour.db'}"
    engine = create_engine(url)
    with engine.begin() as connection:
        migrate.upgrade(connection, to="0002")
        connection.exec_driver_sql(
            "INSERT INTO sites (id, name, kind, time_zone, is_simulated) "
            "VALUES ('flat', 'Flat', 'home', 'Europe/Paris', 0)"
        )
        connection.exec_driver_sql(
            "INSERT INTO channels (key, id, site, quantity, unit, resolution, is_simulated, first_time, last_time, "
            "last_recorded_at) VALUES (1, 'home.flat.power', 'flat', 'power', 'kW', 3600000000, 0, 0, 0, 0)"
        )
        connection.exec_driver_sql("INSERT INTO readings VALUES (1, 0, 3600000000, 3600000000, 0.5, 0)")
    engine.dispose()
    store = open_store(url)
    (power,) = store.channels()
    start = datetime(1970, 1, 1, tzinfo=UTC)
    assert (power.id, power.zone, power.device) == ("home.flat.power", None, None)
    assert store.read(["home.flat.power"], Window(start, start + HOUR))["value"].to_list() == [0.5]
    store.register([], [home_channel("power")], devices=[device("washer")])
    assert store.append_events(events(("home.flat.washer", 0, 1, 0.8))) == 1
    assert store.append_samples(samples(("home.flat.power", 0.0, 500.0))) == 1
    store.close()


def test_a_store_of_the_fourth_version_learns_that_watttime_counts_co2_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'watthour.db'}"
    engine = create_engine(url)
    with engine.begin() as connection:
        migrate.upgrade(connection, to="0004")
        connection.exec_driver_sql(
            "INSERT INTO sites (id, name, kind, time_zone, is_simulated) "
            "VALUES ('ny', 'New York', 'region', 'America/New_York', 0)"
        )
        for key, name in enumerate(("watttime.marginal.direct", "mix.average.production.direct")):
            connection.exec_driver_sql(
                "INSERT INTO channels (key, id, site, quantity, unit, resolution, is_simulated) "
                "VALUES (?, ?, 'ny', 'carbon_intensity', 'gCO2e/kWh', 300000000, 0)",
                (key, f"grid.ny.carbon.{name}"),
            )
    engine.dispose()
    store = open_store(url)
    assert {channel.id.split(".")[3]: str(channel.unit) for channel in store.channels()} == {
        "mix": "gCO2e/kWh",
        "watttime": "gCO2/kWh",
    }
    store.close()
