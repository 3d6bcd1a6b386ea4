"""Readings and forecasts with all their versions, and the log of who brought them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sites",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("time_zone", sa.String, nullable=False),
        sa.Column("latitude", sa.Double),
        sa.Column("longitude", sa.Double),
        sa.Column("is_simulated", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sites"),
    )
    op.create_table(
        "channels",
        sa.Column("key", sa.Integer, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("site", sa.String, nullable=False),
        sa.Column("device", sa.String),
        sa.Column("quantity", sa.String, nullable=False),
        sa.Column("unit", sa.String, nullable=False),
        sa.Column("resolution", sa.BigInteger, nullable=False),
        sa.Column("is_simulated", sa.Boolean, nullable=False),
        sa.Column("first_time", sa.BigInteger),
        sa.Column("last_time", sa.BigInteger),
        sa.Column("last_recorded_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("key", name="pk_channels"),
        sa.UniqueConstraint("id", name="uq_channels_id"),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name="fk_channels_site"),
    )
    op.create_table(
        "readings",
        sa.Column("channel", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("available_at", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("quality", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("channel", "time", "available_at", name="pk_readings"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "forecast_series",
        sa.Column("key", sa.Integer, nullable=False),
        sa.Column("channel", sa.Integer, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("level", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_forecast_series"),
        sa.UniqueConstraint("channel", "model", "level", name="uq_forecast_series_channel_model_level"),
        sa.ForeignKeyConstraint(["channel"], ["channels.key"], name="fk_forecast_series_channel"),
    )
    op.create_table(
        "forecasts",
        sa.Column("series", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("available_at", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("quality", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("series", "time", "issued_at", name="pk_forecasts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "refused_rows",
        sa.Column("key", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("channel", sa.String),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("row", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_refused_rows"),
        sa.UniqueConstraint("fingerprint", name="uq_refused_rows_fingerprint"),
    )
    op.create_table(
        "source_runs",
        sa.Column("key", sa.Integer, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger, nullable=False),
        sa.Column("window_start", sa.BigInteger, nullable=False),
        sa.Column("window_end", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("new_rows", sa.Integer, nullable=False),
        sa.Column("refused_rows", sa.Integer, nullable=False),
        sa.Column("problem", sa.Text),
        sa.PrimaryKeyConstraint("key", name="pk_source_runs"),
    )
    op.create_index("ix_source_runs_source_started_at", "source_runs", ["source", "started_at"])
    op.create_table(
        "watched_sources",
        sa.Column("source", sa.String, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_watched_sources"),
    )


def downgrade() -> None:
    for table in (
        "watched_sources",
        "source_runs",
        "refused_rows",
        "forecasts",
        "forecast_series",
        "readings",
        "channels",
        "sites",
    ):
        op.drop_table(table)
