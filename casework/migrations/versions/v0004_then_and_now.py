"""What changed since a pupil was last at ease, and what would lower the figure, beside a flag's reasons."""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = """
ALTER TABLE flags ADD COLUMN eased_on date,
  ADD COLUMN eased double precision CHECK (eased > 0 AND eased < 1),
  ADD CONSTRAINT flags_eased_check_both CHECK ((eased IS NULL) = (eased_on IS NULL));
CREATE TABLE changes (
  flag_id uuid NOT NULL CONSTRAINT changes_flag_id_fkey REFERENCES flags,
  position smallint NOT NULL, way text NOT NULL CHECK (way IN ('up', 'down')),
  "group" text NOT NULL, sentence text NOT NULL, share text NOT NULL, changeable boolean NOT NULL,
  CONSTRAINT changes_pkey PRIMARY KEY (flag_id, position)
);
CREATE TABLE levers (
  flag_id uuid NOT NULL CONSTRAINT levers_flag_id_fkey REFERENCES flags,
  position smallint NOT NULL, "group" text NOT NULL, sentence text NOT NULL,
  probability double precision NOT NULL CHECK (probability > 0 AND probability < 1),
  CONSTRAINT levers_pkey PRIMARY KEY (flag_id, position)
);
"""

# The rows are seen and written only where their flag is.
_BY_FLAG = "belong_everywhere() OR EXISTS (SELECT 1 FROM flags f WHERE f.id = {table}.flag_id)"
SCOPED = ("changes", "levers")

GRANTS = """
GRANT SELECT ON changes, levers TO belong_app, belong_job;
GRANT INSERT ON changes, levers TO belong_job;
"""


def upgrade() -> None:
    """Add both tables, closed to other schools from the start. Flags already given have no 'then'."""
    op.execute(TABLES)
    for table in SCOPED:
        seen = _BY_FLAG.format(table=table)
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_in_scope ON {table} USING ({seen}) WITH CHECK ({seen})")
    op.execute(GRANTS)


def downgrade() -> None:
    """Drop both tables, with what they say."""
    op.execute("DROP TABLE changes, levers; ALTER TABLE flags DROP COLUMN eased_on, DROP COLUMN eased")
