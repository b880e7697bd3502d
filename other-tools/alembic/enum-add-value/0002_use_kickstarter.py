from alembic import op

revision, down_revision = "0002", "0001"


def upgrade():
    op.execute(
        "UPDATE wishlist_items SET store = 'kickstarter' WHERE url LIKE 'https://www.kickstarter.com/%'"
    )
