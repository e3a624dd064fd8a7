"""Files that schools bring on a page: where each stands, and every step it took."""

from alembic import op

revision = "0012"
down_revision = "0009"

TABLES = """
CREATE TABLE uploads (
  id uuid NOT NULL CONSTRAINT uploads_pkey PRIMARY KEY,
  school_urn integer NOT NULL CONSTRAINT uploads_school_urn_fkey REFERENCES schools,
  sent_by uuid NOT NULL CONSTRAINT uploads_sent_by_fkey REFERENCES people, sent_at timestamptz NOT NULL,
  system text NOT NULL CHECK (system <> ''), size bigint NOT NULL CHECK (size >= 0),
  digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'), key bytea,
  state text NOT NULL, moved_at timestamptz NOT NULL, kind text NOT NULL DEFAULT '',
  proposal jsonb, columns jsonb, findings jsonb, sentence text NOT NULL DEFAULT ''
);
CREATE INDEX uploads_school_urn_sent_at_idx ON uploads (school_urn, sent_at);
CREATE TABLE upload_steps (
  seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT upload_steps_pkey PRIMARY KEY,
  upload_id uuid NOT NULL CONSTRAINT upload_steps_upload_id_fkey REFERENCES uploads,
  school_urn integer NOT NULL CONSTRAINT upload_steps_school_urn_fkey REFERENCES schools,
  state text NOT NULL, at timestamptz NOT NULL,
  person_id uuid CONSTRAINT upload_steps_person_id_fkey REFERENCES people
);
CREATE INDEX upload_steps_upload_id_idx ON upload_steps (upload_id);
CREATE TRIGGER upload_steps_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON upload_steps
  FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
"""

# A school's own matter: seen, written and moved only inside the schools of the setting.
SCOPED = dict.fromkeys(("uploads", "upload_steps"), "belong_sees(school_urn)")

# The web process may not say what was found: that is the job's, which reads the file.
GRANTS = """
GRANT SELECT, INSERT ON uploads, upload_steps TO belong_app, belong_job;
GRANT UPDATE (state, moved_at, columns, kind, key) ON uploads TO belong_app;
GRANT UPDATE (state, moved_at, columns, kind, key, proposal, findings, sentence) ON uploads TO belong_job;
"""


def upgrade() -> None:
    """Make the tables, closed before they hold anything."""
    op.execute(TABLES)
    for table, seen in SCOPED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_in_scope ON {table} USING ({seen}) WITH CHECK ({seen})")
    op.execute(GRANTS)


def downgrade() -> None:
    """Drop them, with what they say."""
    op.execute("DROP TABLE upload_steps, uploads")
