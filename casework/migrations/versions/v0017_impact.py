"""Does it help: studies registered before their outcomes exist, and what came of each, once."""

from alembic import op

revision = "0017"
down_revision = "0019"

TABLES = """
CREATE TABLE impact_studies (
  digest text NOT NULL CONSTRAINT impact_studies_pkey PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
  registered_on date NOT NULL, registered_by text NOT NULL CHECK (registered_by <> ''),
  title text NOT NULL CHECK (title <> ''),
  first_week date NOT NULL CHECK (first_week >= registered_on), last_week date NOT NULL CHECK (last_week > first_week),
  text text NOT NULL, registered_at timestamptz NOT NULL
);
CREATE TABLE impact_results (
  digest text NOT NULL CONSTRAINT impact_results_pkey PRIMARY KEY
    CONSTRAINT impact_results_digest_fkey REFERENCES impact_studies,
  known_on date NOT NULL, published_at timestamptz NOT NULL, payload jsonb NOT NULL
);
"""
# A study that could be changed after its outcomes are known would be none, and a second look would be a second chance.
KEPT = """
CREATE TRIGGER impact_studies_append_only BEFORE UPDATE OR DELETE ON impact_studies
  FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
CREATE TRIGGER impact_results_append_only BEFORE UPDATE OR DELETE ON impact_results
  FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
GRANT SELECT ON impact_studies, impact_results TO belong_app, belong_job;
GRANT INSERT ON impact_studies, impact_results TO belong_job;
"""


def upgrade() -> None:
    """Make both tables; neither holds a pupil or a school."""
    op.execute(TABLES)
    op.execute(KEPT)


def downgrade() -> None:
    """Drop them, with what they say."""
    op.execute("DROP TABLE impact_results, impact_studies")
