"""The first schema: bots, their configs, pairs and groups, deals with fills and ledger, inbox, outbox and
offsets.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "deployment",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("partitions", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_deployment_one_row")),
        sa.PrimaryKeyConstraint("id", name="pk_deployment"),
        comment="whose database this is; one row",
    )
    op.create_table(
        "ledger",
        sa.Column("deal_id", sa.String(length=255), nullable=False),
        sa.Column("level", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=8), nullable=False, comment="base, quote or fee"),
        sa.Column("amount", sa.Text(), nullable=False, comment="signed: what the account gained"),
        sa.CheckConstraint("account IN ('base', 'quote', 'fee')", name=op.f("ck_ledger_account")),
        sa.PrimaryKeyConstraint("deal_id", "level", "generation", "account", name="pk_ledger"),
    )
    op.create_table(
        "partitions",
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("partition", name="pk_partitions"),
        comment="who may write what belongs to a partition: the holder of its latest epoch",
    )
    op.create_table(
        "bots",
        sa.Column("bot_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column(
            "version", sa.BigInteger(), nullable=False, comment="counts changes; names position snapshots"
        ),
        sa.Column("as_of_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_deals", sa.BigInteger(), nullable=False),
        sa.Column("realized_profit", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["partition"], ["partitions.partition"], name="fk_bots_partition"),
        sa.PrimaryKeyConstraint("bot_id", name="pk_bots"),
    )
    op.create_index("ix_bots_partition", "bots", ["partition"], unique=False)
    op.create_index("ix_bots_user_id", "bots", ["user_id"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("topic_id", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("source_offset", sa.BigInteger(), nullable=False),
        sa.Column("timestamp_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=True),
        sa.Column("trigger_id", sa.Text(), nullable=True, comment="only of a genuine trigger's first record"),
        sa.Column("config_seq", sa.BigInteger(), nullable=True, comment="the config in force"),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["partition"], ["partitions.partition"], name="fk_inbox_partition"),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint(
            "topic_id",
            "topic",
            "partition",
            "source_offset",
            name="uq_inbox_topic_id_topic_partition_source_offset",
        ),
        sa.UniqueConstraint("trigger_id", name="uq_inbox_trigger_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "offsets",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("topic_id", sa.Text(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["partition"], ["partitions.partition"], name="fk_offsets_partition"),
        sa.PrimaryKeyConstraint("topic", "partition", name="pk_offsets"),
        comment="the first record not yet applied",
    )
    op.create_table(
        "outbox",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False, comment="whose relay sends it"),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=True, comment="partition to produce to; null: by key"),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("timestamp_ms", sa.BigInteger(), nullable=False),
        sa.Column("headers", sa.LargeBinary(), nullable=False, comment="msgpack list of (name, bytes)"),
        sa.ForeignKeyConstraint(["partition"], ["partitions.partition"], name="fk_outbox_partition"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_partition_id", "outbox", ["partition", "id"], unique=False)
    op.create_table(
        "configs",
        sa.Column("bot_id", sa.String(length=64), nullable=False),
        sa.Column(
            "seq",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="counts accepted configs from 1",
        ),
        sa.Column("revision", sa.BigInteger(), nullable=False, comment="the user's own number"),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("effective_from_ms", sa.BigInteger(), nullable=False),
        sa.Column(
            "from_ms", sa.BigInteger(), nullable=False, comment="rounded up: governs bars opening from here"
        ),
        sa.Column(
            "signal", sa.String(length=64), nullable=False, comment="fingerprint of the entry conditions"
        ),
        sa.Column(
            "shape",
            sa.String(length=64),
            nullable=False,
            comment="fingerprint of all that an entry group shows",
        ),
        sa.Column("live", sa.Integer(), nullable=False, comment="1 while it may still govern a bar"),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.bot_id"], name="fk_configs_bot_id"),
        sa.PrimaryKeyConstraint("bot_id", "seq", name="pk_configs"),
    )
    op.create_index("ix_configs_bot_id_live", "configs", ["bot_id", "live"], unique=False)
    op.create_table(
        "deals",
        sa.Column("deal_id", sa.String(length=255), nullable=False),
        sa.Column("bot_id", sa.String(length=64), nullable=False),
        sa.Column("symbol", sa.String(length=32), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("config_seq", sa.BigInteger(), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_at_ms", sa.BigInteger(), nullable=True),
        sa.Column(
            "close_at_ms",
            sa.BigInteger(),
            nullable=True,
            comment="told to close at the first bar close from here",
        ),
        sa.Column("close_reason", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("average_price", sa.Text(), nullable=True),
        sa.Column("invested", sa.Text(), nullable=False),
        sa.Column("profit", sa.Text(), nullable=False),
        sa.Column("safety_orders_filled", sa.Integer(), nullable=False),
        sa.Column("ambiguous_bars", sa.Integer(), nullable=False),
        sa.Column("fills", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="the deal itself, in exact integers"),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_deals_state")),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.bot_id"], name="fk_deals_bot_id"),
        sa.PrimaryKeyConstraint("deal_id", name="pk_deals"),
    )
    op.create_index("ix_deals_bot_id_state", "deals", ["bot_id", "state"], unique=False)
    op.create_index(
        "ix_deals_one_open",
        "deals",
        ["bot_id", "symbol"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "groups",
        sa.Column("group_id", sa.String(length=256), nullable=False),
        sa.Column("bot_id", sa.String(length=64), nullable=False),
        sa.Column("symbol", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False, comment="armed or removed"),
        sa.Column("armed_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_at_ms", sa.BigInteger(), nullable=True),
        sa.Column(
            "command",
            sa.Text(),
            nullable=False,
            comment="the command as it was sent: enough to send it again",
        ),
        sa.CheckConstraint("state IN ('armed', 'removed')", name=op.f("ck_groups_state")),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.bot_id"], name="fk_groups_bot_id"),
        sa.PrimaryKeyConstraint("group_id", name="pk_groups"),
    )
    op.create_index("ix_groups_bot_id_state", "groups", ["bot_id", "state"], unique=False)
    op.create_table(
        "pairs",
        sa.Column("bot_id", sa.String(length=64), nullable=False),
        sa.Column("symbol", sa.String(length=32), nullable=False),
        sa.Column(
            "generation",
            sa.BigInteger(),
            nullable=False,
            comment="last one given out; never deleted, never lowered",
        ),
        sa.Column("free_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_signal", sa.String(length=64), nullable=True),
        sa.Column("cooldown_until_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.bot_id"], name="fk_pairs_bot_id"),
        sa.PrimaryKeyConstraint("bot_id", "symbol", name="pk_pairs"),
    )
    op.create_table(
        "fills",
        sa.Column("deal_id", sa.String(length=255), nullable=False),
        sa.Column("level", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="order within the deal, from 1"),
        sa.Column("trigger_id", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("fee", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.deal_id"], name="fk_fills_deal_id"),
        sa.PrimaryKeyConstraint("deal_id", "level", "generation", name="pk_fills"),
        sa.UniqueConstraint("deal_id", "position", name="uq_fills_deal_id_position"),
    )


def downgrade() -> None:
    for table in (
        "fills", "pairs", "groups", "ledger", "deals", "configs", "outbox", "offsets", "inbox", "bots",
        "partitions", "deployment",
    ):  # fmt: skip
        op.drop_table(table)
