"""A client's secret can be rotated: the one before stays good for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """NULL says what an older version means, which writes none of them."""
    op.add_column("clients", sa.Column("version", sa.Integer(), nullable=True))
    op.add_column("clients", sa.Column("previous_secret", sa.LargeBinary(), nullable=True))
    op.add_column("clients", sa.Column("previous_until", sa.BigInteger(), nullable=True))
