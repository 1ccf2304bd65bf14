"""Alembic's environment: always a connection handed over by `open_records`."""

from alembic import context

from jingwei.records.base import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
context.run_migrations()
