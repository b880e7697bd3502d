from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.execute("SET LOCAL lock_timeout = 0")
    op.execute("UPDATE wishlist_items SET title = title || '!'")
