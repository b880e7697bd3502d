from alembic import op

revision, down_revision = "0001", None


def upgrade():
    with op.get_context().autocommit_block():
        # A concurrent build waits for old transactions; a timeout would leave it INVALID.
        op.execute("SET lock_timeout = 0")
        op.create_index(
            "wishlist_items_store_price_idx",
            "wishlist_items",
            ["store", "price"],
            postgresql_concurrently=True,
        )
        op.execute("RESET lock_timeout")
