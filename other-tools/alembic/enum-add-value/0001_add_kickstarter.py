from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.execute("ALTER TYPE store ADD VALUE IF NOT EXISTS 'kickstarter'")
