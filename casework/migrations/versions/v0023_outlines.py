"""Outlines of wards and boroughs for a map, as the nightly job publishes them: open data, so every role may read."""

from alembic import op

revision = "0023"
down_revision = "0022"

TABLES = """
CREATE TABLE area_outlines (
  code text NOT NULL CONSTRAINT area_outlines_pkey PRIMARY KEY CHECK (code ~ '^E0[5-9][0-9]{6}$'),
  level text NOT NULL CHECK (level IN ('ward', 'borough')),
  from_on date NOT NULL, publisher text NOT NULL CHECK (publisher <> ''),
  polygons jsonb NOT NULL CHECK (jsonb_typeof(polygons) = 'array')
);
GRANT SELECT ON area_outlines TO belong_app, belong_job;
GRANT INSERT, DELETE ON area_outlines TO belong_job;
"""


def upgrade() -> None:
    """Make the table."""
    op.execute(TABLES)


def downgrade() -> None:
    """Drop it; the next night would publish the same again."""
    op.execute("DROP TABLE area_outlines")
