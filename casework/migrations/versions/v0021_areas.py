"""Open figures of places, as the nightly job publishes them: about nobody and of no school, so every role may read."""

from alembic import op

revision = "0021"
down_revision = "0020"

TABLES = """
CREATE TABLE areas (
  code text NOT NULL CONSTRAINT areas_pkey PRIMARY KEY CHECK (code ~ '^E0[15-9][0-9]{6}$'),
  level text NOT NULL CHECK (level IN ('area', 'ward', 'borough')), name text NOT NULL CHECK (name <> ''),
  ward text, borough text,
  CHECK ((level = 'area') = (ward IS NOT NULL)), CHECK ((level = 'borough') = (borough IS NULL))
);
CREATE TABLE area_figures (
  code text NOT NULL, measure text NOT NULL CHECK (measure IN ('deprivation', 'violence', 'admissions', 'safety')),
  from_on date NOT NULL, to_on date NOT NULL CHECK (to_on >= from_on),
  count integer NOT NULL CHECK (count >= 0), among integer NOT NULL CHECK (among > 0), publisher text NOT NULL,
  CONSTRAINT area_figures_pkey PRIMARY KEY (code, measure)
);
CREATE TABLE area_standing (
  edition text NOT NULL CONSTRAINT area_standing_pkey PRIMARY KEY,
  known_on date NOT NULL, unlisted boolean NOT NULL, figures_left_out integer NOT NULL
);
GRANT SELECT ON areas, area_figures, area_standing TO belong_app, belong_job;
GRANT INSERT, DELETE ON areas, area_figures, area_standing TO belong_job;
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(TABLES)


def downgrade() -> None:
    """Drop them; the next night would publish the same again."""
    op.execute("DROP TABLE areas, area_figures, area_standing")
