from alembic import context
from sqlalchemy import create_engine, pool, text

# libpq's environment names the database. The timeout is the session's default, so RESET comes back to it.
engine = create_engine(
    "postgresql+psycopg://",
    poolclass=pool.NullPool,
    connect_args={"options": "-c lock_timeout=2s"},
)

with engine.connect() as connection:
    # Alembic has no lock of its own. Who waited here would stop a concurrent build of the other run.
    if not connection.scalar(text("SELECT pg_try_advisory_lock(7041776)")):
        raise SystemExit("another run is under way")
    connection.commit()  # without it all that follows is undone at the end, with exit status 0
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
