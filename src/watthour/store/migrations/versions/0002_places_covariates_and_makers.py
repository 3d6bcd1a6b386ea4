"""Places, grid zones and codes of sites; limits, currencies and covariates of channels; makers of forecasts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NEW = {
    "sites": [
        *(sa.Column(name, sa.String) for name in ("holidays", "zone", "operator", "main_channel")),
        *(sa.Column(name, sa.Text) for name in ("points", "stations", "codes")),
    ],
    "channels": [
        sa.Column("low", sa.Double),
        sa.Column("high", sa.Double),
        sa.Column("is_never_constant", sa.Boolean),
        *(sa.Column(name, sa.String) for name in ("currency", "variable", "point")),
        sa.Column("weight", sa.Double),
    ],
    "forecast_series": [sa.Column("maker", sa.String)],
}
_BASELINES = ("operator_debiased", "persistence_ensemble", "seasonal_naive")
_WEATHER = 5  # words in the id of a weather channel: grid, region, "weather", point, variable


def upgrade() -> None:
    for table, columns in _NEW.items():
        for column in columns:
            op.add_column(table, column)
    connection = op.get_bind()
    channels = sa.table("channels", *(sa.column(name) for name in ("key", "id", "site", "variable", "point")))
    series = sa.table("forecast_series", *(sa.column(name) for name in ("key", "channel", "model", "maker")))
    sites = sa.table("sites", sa.column("id"), sa.column("main_channel"))
    weather = set()
    # Until now a channel's place was told by its id; its weight comes when its source is asked again.
    for key, name, site in connection.execute(sa.select(channels.c.key, channels.c.id, channels.c.site)).all():
        words = name.split(".")
        if len(words) == _WEATHER and words[2] == "weather":
            weather.add(key)
            here = sa.update(channels).where(channels.c.key == key)
            connection.execute(here.values(point=words[3], variable=words[4]))
        elif name == f"grid.{site}.demand":
            connection.execute(sa.update(sites).where(sites.c.id == site).values(main_channel=name))
    for key, channel, model in connection.execute(sa.select(series.c.key, series.c.channel, series.c.model)).all():
        maker = "rival" if channel in weather or model == "operator" else "baseline" if model in _BASELINES else "own"
        connection.execute(sa.update(series).where(series.c.key == key).values(maker=maker))


def downgrade() -> None:
    for table, columns in _NEW.items():
        for column in columns:
            op.drop_column(table, column.name)
