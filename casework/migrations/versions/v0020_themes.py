"""What learning reviews say, once a term: pupils counted by theme, signal and help, across the network. No school."""

from alembic import op

revision = "0020"
down_revision = "0017"

THEMES = """
CREATE TABLE theme_terms (
  term date NOT NULL CONSTRAINT theme_terms_pkey PRIMARY KEY,
  name text NOT NULL CHECK (name <> ''), ends_on date NOT NULL CHECK (ends_on > term),
  known_on date NOT NULL CHECK (known_on > ends_on), published_at timestamptz NOT NULL
);
-- As with places, the database takes no count that is small or not rounded.
CREATE TABLE theme_counts (
  term date NOT NULL CONSTRAINT theme_counts_term_fkey REFERENCES theme_terms,
  cut text NOT NULL, place text NOT NULL,
  count integer CHECK (count = 0 OR (count >= 10 AND count % 5 = 0)),
  CONSTRAINT theme_counts_pkey PRIMARY KEY (term, cut, place)
);
ALTER TABLE theme_counts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY theme_counts_in_scope ON theme_counts
  USING (belong_everywhere() OR belong_places()) WITH CHECK (belong_everywhere());
CREATE TRIGGER theme_terms_append_only BEFORE UPDATE ON theme_terms
  FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
CREATE TRIGGER theme_counts_append_only BEFORE UPDATE ON theme_counts
  FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
GRANT SELECT ON theme_terms, theme_counts TO belong_app, belong_job;
GRANT INSERT ON theme_terms, theme_counts TO belong_job;
"""


def upgrade() -> None:
    """Make the tables, closed before they hold anything."""
    op.execute(THEMES)


def downgrade() -> None:
    """Drop them, with what they say."""
    op.execute("DROP TABLE theme_counts, theme_terms")
