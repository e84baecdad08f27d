"""Orders at a venue: what is meant to be sent, and how far it went. A fill may be one of several of its order.

Down again it needs at most one fill of each level and generation, and forgets every order, those at the venue too.
"""

import sqlalchemy as sa
from alembic import op

revision = "live_orders"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEYS = {
    "fills": ["deal_id", "level", "generation"],
    "ledger": ["deal_id", "level", "generation", "account"],
}


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("client_id", sa.String(length=36), nullable=False,
                  comment="the order's id at the venue, made from its cause"),
        sa.Column("bot_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.String(length=255), nullable=False),
        sa.Column("level", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False, comment="trigger_id or report_id that brought it"),
        sa.Column("symbol", sa.String(length=32), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False,
                  comment="market, limit, or ioc: a limit that does not rest"),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("price", sa.Text()),
        sa.Column("entry", sa.Integer(), nullable=False, comment="1: it opens or enlarges a position"),
        sa.Column("at_ms", sa.BigInteger(), nullable=False, comment="event time of its cause"),
        sa.Column("withdrawn", sa.Integer(), nullable=False, comment="1: to be cancelled"),
        sa.Column("state", sa.String(length=8), nullable=False,
                  comment="open or ended: may reports still change the deal?"),
        sa.Column("phase", sa.String(length=8), nullable=False, comment="intended, sending, working, done"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at_ms", sa.BigInteger(), comment="wall clock of the last attempt"),
        sa.Column("venue_order_id", sa.Text()),
        sa.Column("reported", sa.Integer(), nullable=False, comment="trades that were reported"),
        sa.Column("note", sa.Text(), nullable=False, comment="what the venue said last"),
        sa.CheckConstraint("state IN ('open', 'ended')", name=op.f("ck_orders_state")),
        sa.CheckConstraint("phase IN ('intended', 'sending', 'working', 'done')", name=op.f("ck_orders_phase")),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.bot_id"], name="fk_orders_bot_id"),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.deal_id"], name="fk_orders_deal_id"),
        sa.ForeignKeyConstraint(["partition"], ["partitions.partition"], name="fk_orders_partition"),
        sa.PrimaryKeyConstraint("client_id", name="pk_orders"),
        comment="intents: recorded before anything leaves for a venue; kept for ever",
    )  # fmt: skip
    op.create_index("ix_orders_partition_phase", "orders", ["partition", "phase"])
    op.create_index("ix_orders_bot_id_state", "orders", ["bot_id", "state"])
    op.create_index("ix_orders_deal_id", "orders", ["deal_id"])
    op.add_column(
        "deployment",
        sa.Column("venue", sa.Text(), nullable=False, server_default="paper",
                  comment="where its open deals trade"),
    )  # fmt: skip
    for table, keys in _KEYS.items():
        with op.batch_alter_table(table) as batch:
            batch.add_column(
                sa.Column("number", sa.Integer(), nullable=False, server_default="1",
                          comment="tells the fills of one order apart; 1 on paper")
            )  # fmt: skip
        with op.batch_alter_table(table) as batch:
            batch.alter_column("number", server_default=None)
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.create_primary_key(f"pk_{table}", [*keys, "number"])


def downgrade() -> None:
    for table, keys in _KEYS.items():
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.drop_column("number")
            batch.create_primary_key(f"pk_{table}", keys)
    op.drop_column("deployment", "venue")
    op.drop_table("orders")
