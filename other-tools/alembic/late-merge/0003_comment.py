from alembic import op

revision, down_revision = "0003", "0001"


def upgrade():
    op.execute("COMMENT ON TABLE wishlist_items IS '3'")
