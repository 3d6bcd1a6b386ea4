"""Zones and devices of homes, the uses of devices, and what meters tell at instants."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "zones",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("site", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_zones"),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name="fk_zones_site"),
    )
    op.create_table(
        "devices",
        sa.Column("key", sa.Integer, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("site", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("rating_w", sa.Double),
        sa.Column("flexibility", sa.String, nullable=False),
        sa.Column("zone", sa.String),
        sa.PrimaryKeyConstraint("key", name="pk_devices"),
        sa.UniqueConstraint("id", name="uq_devices_id"),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name="fk_devices_site"),
    )
    op.create_table(
        "samples",
        sa.Column("channel", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("measure", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("channel", "time", "measure", name="pk_samples"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("device", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("available_at", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.Column("energy_kwh", sa.Double),
        sa.Column("quality", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("device", "start", "available_at", name="pk_events"),
        sqlite_with_rowid=False,
    )
    op.add_column("channels", sa.Column("zone", sa.String))


def downgrade() -> None:
    op.drop_column("channels", "zone")
    for table in ("events", "samples", "devices", "zones"):
        op.drop_table(table)
