"""Run by Alembic, on the connection and in the transaction that `cases.schema` hands over."""

from alembic import context

from cases.records import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_server_default=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
