"""The tables, as the migrations leave them.

Amounts are exact decimal strings: SQLite has no exact numeric type, and the integers of a deal (ticks times
lots) may not fit 64 bits. Times are epoch milliseconds. Everything of one bot is written by the one owner of
its partition.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts rows itself only in a column of type INTEGER.
RowId: Final = BigInteger().with_variant(Integer, "sqlite")

deployment = Table(
    "deployment",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("namespace", Text, nullable=False),
    Column("partitions", Integer, nullable=False),
    Column("venue", Text, nullable=False, server_default="paper", comment="where its open deals trade"),
    CheckConstraint("id = 1", name="one_row"),
    comment="whose database this is; one row",
)

partitions = Table(
    "partitions",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    comment="who may write what belongs to a partition: the holder of its latest epoch",
)

offsets = Table(
    "offsets",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, ForeignKey("partitions.partition"), primary_key=True, autoincrement=False),
    Column("topic_id", Text, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    comment="the first record not yet applied",
)

bots = Table(
    "bots",
    metadata,
    Column("bot_id", String(64), primary_key=True),
    Column("user_id", String(64), nullable=False),
    Column("partition", Integer, ForeignKey("partitions.partition"), nullable=False),
    Column("version", BigInteger, nullable=False, comment="counts changes; names position snapshots"),
    Column("as_of_ms", BigInteger, nullable=False),
    Column("closed_deals", BigInteger, nullable=False),
    Column("realized_profit", Text, nullable=False),
    Index(None, "user_id"),
    Index(None, "partition"),
)

configs = Table(
    "configs",
    metadata,
    Column("bot_id", String(64), ForeignKey("bots.bot_id"), primary_key=True),
    Column(
        "seq", BigInteger, primary_key=True, autoincrement=False, comment="counts accepted configs from 1"
    ),
    Column("revision", BigInteger, nullable=False, comment="the user's own number"),
    Column("state", String(16), nullable=False),
    Column("effective_from_ms", BigInteger, nullable=False),
    Column("from_ms", BigInteger, nullable=False, comment="rounded up: governs bars opening from here"),
    Column("signal", String(64), nullable=False, comment="fingerprint of the entry conditions"),
    Column("shape", String(64), nullable=False, comment="fingerprint of all that an entry group shows"),
    Column("live", Integer, nullable=False, comment="1 while it may still govern a bar"),
    Column("body", Text, nullable=False),
    Index(None, "bot_id", "live"),
)

pairs = Table(
    "pairs",
    metadata,
    Column("bot_id", String(64), ForeignKey("bots.bot_id"), primary_key=True),
    Column("symbol", String(32), primary_key=True),
    Column(
        "generation", BigInteger, nullable=False, comment="last one given out; never deleted, never lowered"
    ),
    Column("free_from_ms", BigInteger, nullable=False),
    Column("seen_signal", String(64)),
    Column("cooldown_until_ms", BigInteger),
    Column("start_at_ms", BigInteger, comment="an entry fired, its deal is opened then"),
)

groups = Table(
    "groups",
    metadata,
    Column("group_id", String(256), primary_key=True),
    Column("bot_id", String(64), ForeignKey("bots.bot_id"), nullable=False),
    Column("symbol", String(32), nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("state", String(8), nullable=False, comment="armed or removed"),
    Column("armed_from_ms", BigInteger, nullable=False),
    Column("end_at_ms", BigInteger),
    Column("command", Text, nullable=False, comment="the command as it was sent: enough to send it again"),
    CheckConstraint("state IN ('armed', 'removed')", name="state"),
    Index(None, "bot_id", "state"),
)

deals = Table(
    "deals",
    metadata,
    Column("deal_id", String(255), primary_key=True),
    Column("bot_id", String(64), ForeignKey("bots.bot_id"), nullable=False),
    Column("symbol", String(32), nullable=False),
    Column("side", String(8), nullable=False),
    Column("state", String(8), nullable=False),
    Column("config_seq", BigInteger, nullable=False),
    Column("opened_at_ms", BigInteger, nullable=False),
    Column("closed_at_ms", BigInteger),
    Column("close_at_ms", BigInteger, comment="told to close at the first bar close from here"),
    Column("close_reason", Text),
    Column("quantity", Text, nullable=False),
    Column("average_price", Text),
    Column("invested", Text, nullable=False),
    Column("profit", Text, nullable=False),
    Column("safety_orders_filled", Integer, nullable=False),
    Column("ambiguous_bars", Integer, nullable=False),
    Column("fills", Integer, nullable=False),
    Column("body", Text, nullable=False, comment="the deal itself, in exact integers"),
    Column(
        "shared",
        Integer,
        nullable=False,
        server_default="0",
        comment="1: its alerts are in the entry's group of its pair",
    ),
    Column("reserve", String(16), nullable=False, server_default="ladder", comment="what it is to set aside"),
    Column("reserved", Text, nullable=False, server_default="0", comment="of the user's balance, in quote"),
    CheckConstraint("state IN ('open', 'closed')", name="state"),
    Index(None, "bot_id", "state"),
)

fills = Table(
    "fills",
    metadata,
    Column("deal_id", String(255), ForeignKey("deals.deal_id"), primary_key=True),
    Column("level", String(32), primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, nullable=False, comment="order within the deal, from 1"),
    Column("trigger_id", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("side", String(8), nullable=False),
    Column("price", Text, nullable=False),
    Column("quantity", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("fee", Text, nullable=False),
    Column(
        "fee_base", Text, nullable=False, server_default="0", comment="a fee taken of the quantity instead"
    ),
    Column(
        "number",
        Integer,
        primary_key=True,
        autoincrement=False,
        comment="tells the fills of one order apart; 1 on paper",
    ),
    UniqueConstraint("deal_id", "position"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("deal_id", String(255), primary_key=True),
    Column("level", String(32), primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(8), primary_key=True, comment="base, quote or fee"),
    Column("amount", Text, nullable=False, comment="signed: what the account gained"),
    Column(
        "number",
        Integer,
        primary_key=True,
        autoincrement=False,
        comment="tells the fills of one order apart; 1 on paper",
    ),
    CheckConstraint("account IN ('base', 'quote', 'fee')", name="account"),
)

balances = Table(
    "balances",
    metadata,
    Column("user_id", String(64), primary_key=True),
    Column("asset", String(32), primary_key=True),
    Column("start", Text, nullable=False, comment="what the user began with"),
    Column("realized", Text, nullable=False, comment="profit of deals closed since"),
    Column("held", Text, nullable=False, comment="spent by open deals and set aside for them"),
    comment="of users who have no more than that; free = start + realized - held",
)

orders = Table(
    "orders",
    metadata,
    Column(
        "client_id", String(36), primary_key=True, comment="the order's id at the venue, made from its cause"
    ),
    Column("bot_id", String(64), ForeignKey("bots.bot_id"), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("partition", Integer, ForeignKey("partitions.partition"), nullable=False),
    Column("deal_id", String(255), ForeignKey("deals.deal_id"), nullable=False),
    Column("level", String(32), nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("cause", Text, nullable=False, comment="trigger_id or report_id that brought it"),
    Column("symbol", String(32), nullable=False),
    Column("side", String(8), nullable=False),
    Column("kind", String(8), nullable=False, comment="market, limit, or ioc: a limit that does not rest"),
    Column("quantity", Text, nullable=False),
    Column("price", Text),
    Column("entry", Integer, nullable=False, comment="1: it opens or enlarges a position"),
    Column("at_ms", BigInteger, nullable=False, comment="event time of its cause"),
    # The executor's part: what it wants, and what it has booked.
    Column("withdrawn", Integer, nullable=False, comment="1: to be cancelled"),
    Column("state", String(8), nullable=False, comment="open or ended: may reports still change the deal?"),
    # The gateway's part: what passed between it and the venue.
    Column("phase", String(8), nullable=False, comment="intended, sending, working, done"),
    Column("attempts", Integer, nullable=False),
    Column("sent_at_ms", BigInteger, comment="wall clock of the last attempt"),
    Column("venue_order_id", Text),
    Column("reported", Integer, nullable=False, comment="trades that were reported"),
    Column("note", Text, nullable=False, comment="what the venue said last"),
    CheckConstraint("state IN ('open', 'ended')", name="state"),
    CheckConstraint("phase IN ('intended', 'sending', 'working', 'done')", name="phase"),
    Index(None, "partition", "phase"),
    Index(None, "bot_id", "state"),
    Index(None, "deal_id"),
    comment="intents: recorded before anything leaves for a venue; kept for ever",
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("topic", Text, nullable=False),
    Column("topic_id", Text, nullable=False),
    Column("partition", Integer, ForeignKey("partitions.partition"), nullable=False),
    Column("source_offset", BigInteger, nullable=False),
    Column("timestamp_ms", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("bot_id", Text),
    Column("trigger_id", Text, comment="only of a genuine trigger's first record"),
    Column("config_seq", BigInteger, comment="the config in force"),
    Column("outcome", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    UniqueConstraint("trigger_id"),
    UniqueConstraint("topic_id", "topic", "partition", "source_offset"),
    Index(None, "partition", "timestamp_ms"),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column(
        "partition",
        Integer,
        ForeignKey("partitions.partition"),
        nullable=False,
        comment="whose relay sends it",
    ),
    Column("topic", Text, nullable=False),
    Column("target", Integer, comment="partition to produce to; null: by key"),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("timestamp_ms", BigInteger, nullable=False),
    Column("headers", LargeBinary, nullable=False, comment="msgpack list of (name, bytes)"),
    Index(None, "partition", "id"),
    # A relay's place is a row id: one that was sent and deleted must never be given to another row.
    sqlite_autoincrement=True,
)
