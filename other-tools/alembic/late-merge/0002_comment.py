from alembic import op

revision, down_revision = "0002", "0001"


def upgrade():
    op.execute("COMMENT ON TABLE wishlist_items IS '2'")
