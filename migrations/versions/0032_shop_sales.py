"""What shops sold, sale by sale, and where the reader of a stream goes on.

Two new tables, and one column that may be empty: the change waits for whoever reads the few rows of kpi_streams.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

ID = sa.String(80).with_variant(sa.String(80, collation="C"), "postgresql")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _word(name: str, length: int) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), nullable=False)


def _of_connection(table: str) -> tuple[sa.Column[object], sa.Column[object], sa.ForeignKeyConstraint]:
    return (
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "connection_id"],
            ["connections.organization_id", "connections.id"],
            name=op.f(f"fk_{table}_organization_id_connection_id_connections"),
        ),
    )


def upgrade() -> None:
    op.add_column("kpi_streams", sa.Column("mark", sa.JSON(), nullable=True))
    _make_orders()
    _make_sales()


def _make_orders() -> None:
    op.create_table(
        "shop_orders",
        *_of_connection("shop_orders"),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        _moment("created_at"),
        _moment("processed_at"),
        sa.Column("processed_day", sa.Date(), nullable=False),
        _moment("updated_at"),
        _moment("changed_at"),
        _moment("vanished_at", nullable=True),
        sa.PrimaryKeyConstraint("organization_id", "connection_id", "order_id", name=op.f("pk_shop_orders")),
    )
    op.create_index(
        "ix_shop_orders_processed_day", "shop_orders", ["organization_id", "processed_day", "connection_id"]
    )
    op.create_index("ix_shop_orders_created_at", "shop_orders", ["organization_id", "created_at", "connection_id"])


def _make_sales() -> None:
    op.create_table(
        "shop_sales",
        *_of_connection("shop_sales"),
        _word("sale_id", 80),
        sa.Column("order_id", ID, nullable=False),
        _word("agreement_id", 80),
        *(_word(name, 40) for name in ("reason", "action", "line_type")),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=True),
        _moment("happened_at"),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("amount", "tax", "discount")),
        _word("currency", 3),
        _moment("changed_at"),
        _moment("vanished_at", nullable=True),
        sa.PrimaryKeyConstraint("organization_id", "connection_id", "order_id", "sale_id", name=op.f("pk_shop_sales")),
    )
    op.create_index("ix_shop_sales_day", "shop_sales", ["organization_id", "day", "connection_id"])


def downgrade() -> None:
    op.drop_table("shop_sales")
    op.drop_table("shop_orders")
    with op.batch_alter_table("kpi_streams") as table:
        table.drop_column("mark")
