"""WattTime's marginal figures count CO2 alone, not all greenhouse gases."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _set_unit("gCO2/kWh")


def downgrade() -> None:
    _set_unit("gCO2e/kWh")


def _set_unit(unit: str) -> None:
    channels = sa.table("channels", sa.column("id", sa.String), sa.column("unit", sa.String))
    op.execute(channels.update().where(channels.c.id.like("grid.%.carbon.watttime.marginal.%")).values(unit=unit))
