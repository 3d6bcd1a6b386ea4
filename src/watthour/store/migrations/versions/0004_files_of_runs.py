"""Which file a run has read, and what it fills."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("source_runs", sa.Column("file", sa.String))
    op.add_column("source_runs", sa.Column("fills", sa.Text))
    op.create_index("ix_source_runs_file", "source_runs", ["file"])


def downgrade() -> None:
    op.drop_index("ix_source_runs_file", "source_runs")
    op.drop_column("source_runs", "fills")
    op.drop_column("source_runs", "file")
