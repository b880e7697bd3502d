from alembic import op

revision, down_revision = "0003", "0002"


def upgrade():
    op.alter_column("wishlist_items", "updated_at", nullable=False)
    op.drop_constraint("updated_at_is_set", "wishlist_items")
