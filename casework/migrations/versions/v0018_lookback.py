"""The exclusions continuum: counts by school and group once a term, and what drifted, for the network's lead."""

from alembic import op

revision = "0018"
down_revision = "0016"

CONTINUUM = """
CREATE TABLE continuum_terms (
  term date NOT NULL CONSTRAINT continuum_terms_pkey PRIMARY KEY,
  name text NOT NULL CHECK (name <> ''), ends_on date NOT NULL CHECK (ends_on > term),
  known_on date NOT NULL CHECK (known_on > ends_on), compared integer NOT NULL CHECK (compared >= 0),
  published_at timestamptz NOT NULL
);
-- As with places, the database takes no count that is small or not rounded.
CREATE TABLE continuum_counts (
  term date NOT NULL CONSTRAINT continuum_counts_term_fkey REFERENCES continuum_terms,
  cut text NOT NULL, place text NOT NULL, measure text NOT NULL,
  count integer CHECK (count = 0 OR (count >= 10 AND count % 5 = 0)),
  CONSTRAINT continuum_counts_pkey PRIMARY KEY (term, cut, place, measure)
);
CREATE TABLE continuum_drifts (
  term date NOT NULL CONSTRAINT continuum_drifts_term_fkey REFERENCES continuum_terms,
  cut text NOT NULL, place text NOT NULL, measure text NOT NULL, way text NOT NULL CHECK (way IN ('up', 'down')),
  CONSTRAINT continuum_drifts_pkey PRIMARY KEY (term, cut, place, measure)
);
"""
CONTINUUM_SECURITY = """
ALTER TABLE continuum_counts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY continuum_counts_in_scope ON continuum_counts
  USING (belong_everywhere()) WITH CHECK (belong_everywhere());
ALTER TABLE continuum_drifts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY continuum_drifts_in_scope ON continuum_drifts
  USING (belong_everywhere()) WITH CHECK (belong_everywhere());
CREATE TRIGGER continuum_terms_append_only BEFORE UPDATE ON continuum_terms
  FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
CREATE TRIGGER continuum_counts_append_only BEFORE UPDATE ON continuum_counts
  FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
CREATE TRIGGER continuum_drifts_append_only BEFORE UPDATE ON continuum_drifts
  FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
GRANT SELECT ON continuum_terms, continuum_counts, continuum_drifts TO belong_app, belong_job;
GRANT INSERT ON continuum_terms, continuum_counts, continuum_drifts TO belong_job;
"""


def upgrade() -> None:
    """Make the tables, closed before they hold anything."""
    op.execute(CONTINUUM)
    op.execute(CONTINUUM_SECURITY)


def downgrade() -> None:
    """Drop them, with what they say."""
    op.execute("DROP TABLE continuum_drifts, continuum_counts, continuum_terms")
