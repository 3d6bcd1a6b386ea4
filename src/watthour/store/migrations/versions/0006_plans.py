"""The plans of homes that were in force."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("site", sa.String, sa.ForeignKey("sites.id", name="fk_plans_site"), nullable=False),
        sa.Column("made_at", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("site", "made_at", name="pk_plans"),
    )


def downgrade() -> None:
    op.drop_table("plans")
