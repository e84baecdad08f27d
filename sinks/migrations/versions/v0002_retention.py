"""An index to find what the inbox no longer has to keep."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_inbox_partition_timestamp_ms", "inbox", ["partition", "timestamp_ms"])


def downgrade() -> None:
    op.drop_index("ix_inbox_partition_timestamp_ms", table_name="inbox")
