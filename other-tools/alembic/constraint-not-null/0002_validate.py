from alembic import op

revision, down_revision = "0002", "0001"


def upgrade():
    op.execute("ALTER TABLE wishlist_items VALIDATE CONSTRAINT updated_at_is_set")
