"""Several open deals of a bot on one pair (in one group), delayed starts, and fees in base.

Down again it needs at most one open deal of each bot on each pair.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_deals_one_open", table_name="deals")
    op.add_column(
        "deals",
        sa.Column(
            "shared",
            sa.Integer(),
            nullable=False,
            server_default="0",
            comment="1: its alerts are in the entry's group of its pair",
        ),
    )
    op.add_column(
        "pairs",
        sa.Column(
            "start_at_ms",
            sa.BigInteger(),
            nullable=True,
            comment="an entry fired, its deal is opened then",
        ),
    )
    op.add_column(
        "fills",
        sa.Column(
            "fee_base",
            sa.Text(),
            nullable=False,
            server_default="0",
            comment="a fee taken of the quantity instead",
        ),
    )


def downgrade() -> None:
    op.drop_column("fills", "fee_base")
    op.drop_column("pairs", "start_at_ms")
    op.drop_column("deals", "shared")
    op.create_index(
        "ix_deals_one_open",
        "deals",
        ["bot_id", "symbol"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
