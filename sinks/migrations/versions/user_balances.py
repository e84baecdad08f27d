"""Balances of users, and what each deal sets aside of them."""

import sqlalchemy as sa
from alembic import op

revision = "user_balances"
down_revision = "live_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "balances",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("asset", sa.String(length=32), nullable=False),
        sa.Column("start", sa.Text(), nullable=False, comment="what the user began with"),
        sa.Column("realized", sa.Text(), nullable=False, comment="profit of deals closed since"),
        sa.Column("held", sa.Text(), nullable=False, comment="spent by open deals and set aside for them"),
        sa.PrimaryKeyConstraint("user_id", "asset", name="pk_balances"),
        comment="of users who have no more than that; free = start + realized - held",
    )
    op.add_column(
        "deals",
        sa.Column("reserve", sa.String(length=16), nullable=False, server_default="ladder",
                  comment="what it is to set aside"),
    )  # fmt: skip
    op.add_column(
        "deals",
        sa.Column("reserved", sa.Text(), nullable=False, server_default="0",
                  comment="of the user's balance, in quote"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_column("deals", "reserved")
    op.drop_column("deals", "reserve")
    op.drop_table("balances")
