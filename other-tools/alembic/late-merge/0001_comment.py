from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.execute("COMMENT ON TABLE wishlist_items IS '1'")
