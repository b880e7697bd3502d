from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.execute(
        "ALTER TABLE wishlist_items ADD CONSTRAINT updated_at_is_set CHECK (updated_at IS NOT NULL) NOT VALID"
    )
