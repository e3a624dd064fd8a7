"""Two live secrets for an integration, keys of repeated posts, and the feed of who came on and off a list."""

from alembic import op

revision = "0007"
down_revision = "0010"

SECRETS = """
CREATE TABLE integration_secrets (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT integration_secrets_pkey PRIMARY KEY,
  client_id text NOT NULL CONSTRAINT integration_secrets_client_id_fkey REFERENCES integrations,
  secret_hash text NOT NULL, made_on date NOT NULL, ends_on date, last_used_on date
);
CREATE INDEX integration_secrets_client_id_idx ON integration_secrets (client_id);
INSERT INTO integration_secrets (client_id, secret_hash, made_on)
  SELECT client_id, secret_hash, CURRENT_DATE FROM integrations;
ALTER TABLE integrations DROP COLUMN secret_hash,
  ADD COLUMN calls_per_minute integer NOT NULL DEFAULT 600 CHECK (calls_per_minute > 0);
CREATE TABLE posted_keys (
  client_id text NOT NULL CONSTRAINT posted_keys_client_id_fkey REFERENCES integrations,
  key text NOT NULL, request_hash text NOT NULL, answer_hash text NOT NULL, posted_at timestamptz NOT NULL,
  CONSTRAINT posted_keys_pkey PRIMARY KEY (client_id, key)
);
GRANT SELECT ON integration_secrets, posted_keys TO belong_app, belong_job;
GRANT UPDATE (last_used_on) ON integration_secrets TO belong_app;
GRANT INSERT, DELETE ON posted_keys TO belong_app;
GRANT INSERT, UPDATE, DELETE ON integration_secrets TO belong_job;
"""

# Numbers are given under a lock that is held until the commit, so whoever has read up to one number never
# misses a smaller one that was committed later.
SCOPED = ("list_changes",)
CHANGES = """
CREATE TABLE list_changes (
  number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT list_changes_pkey PRIMARY KEY,
  at timestamptz NOT NULL,
  case_id uuid NOT NULL CONSTRAINT list_changes_case_id_fkey REFERENCES cases,
  pupil_id uuid NOT NULL CONSTRAINT list_changes_pupil_id_fkey REFERENCES pupils,
  school_urn integer NOT NULL CONSTRAINT list_changes_school_urn_fkey REFERENCES schools,
  what text NOT NULL CHECK (what IN ('joined', 'again', 'facts', 'left'))
);
CREATE INDEX list_changes_case_id_number_idx ON list_changes (case_id, number);
CREATE INDEX list_changes_school_urn_number_idx ON list_changes (school_urn, number);
ALTER TABLE list_changes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY list_changes_in_scope ON list_changes
  USING (belong_sees(school_urn)) WITH CHECK (belong_sees(school_urn));

-- As the owner: whoever opens or ends a case writes here, and has no other way to.
CREATE FUNCTION belong_list_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(8465);
  INSERT INTO public.list_changes (at, case_id, pupil_id, school_urn, what)
    VALUES (clock_timestamp(), NEW.id, NEW.pupil_id, NEW.school_urn, TG_ARGV[0]);
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION belong_list_changed() FROM PUBLIC;
CREATE TRIGGER cases_joined AFTER INSERT ON cases FOR EACH ROW
  WHEN (NEW.state NOT IN ('closed', 'expired')) EXECUTE FUNCTION belong_list_changed('joined');
CREATE TRIGGER cases_left AFTER UPDATE OF state ON cases FOR EACH ROW
  WHEN (OLD.state NOT IN ('closed', 'expired') AND NEW.state IN ('closed', 'expired'))
  EXECUTE FUNCTION belong_list_changed('left');

-- A case that goes on at the pupil's next school leaves the one list and joins the other.
CREATE FUNCTION belong_list_moved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(8465);
  INSERT INTO public.list_changes (at, case_id, pupil_id, school_urn, what)
    VALUES (clock_timestamp(), NEW.id, NEW.pupil_id, OLD.school_urn, 'left'),
           (clock_timestamp(), NEW.id, NEW.pupil_id, NEW.school_urn, 'joined');
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION belong_list_moved() FROM PUBLIC;
CREATE TRIGGER cases_moved AFTER UPDATE OF school_urn ON cases FOR EACH ROW
  WHEN (OLD.school_urn <> NEW.school_urn AND NEW.state NOT IN ('closed', 'expired'))
  EXECUTE FUNCTION belong_list_moved();

SELECT set_config('belong.schools', '*', true);
INSERT INTO list_changes (at, case_id, pupil_id, school_urn, what)
  SELECT clock_timestamp(), id, pupil_id, school_urn,
    CASE WHEN state IN ('closed', 'expired') THEN 'left' ELSE 'joined' END
  FROM cases ORDER BY opened_on, id;
GRANT SELECT ON list_changes TO belong_app, belong_job;
GRANT INSERT ON list_changes TO belong_job;
"""


def upgrade() -> None:
    """Add the three tables. Secrets given out before go on working; cases opened before stand first in the feed."""
    op.execute(SECRETS)
    op.execute(CHANGES)


def downgrade() -> None:
    """Drop them, with what they say; an integration keeps the newest of its secrets."""
    op.execute(
        "DROP TRIGGER cases_joined ON cases; DROP TRIGGER cases_left ON cases; "
        "DROP TRIGGER cases_moved ON cases; "
        "DROP FUNCTION belong_list_changed(), belong_list_moved(); DROP TABLE list_changes, posted_keys; "
        "ALTER TABLE integrations ADD COLUMN secret_hash text NOT NULL DEFAULT '', DROP COLUMN calls_per_minute; "
        "UPDATE integrations i SET secret_hash = s.secret_hash FROM (SELECT DISTINCT ON (client_id) client_id, "
        "secret_hash FROM integration_secrets ORDER BY client_id, made_on DESC) s WHERE s.client_id = i.client_id; "
        "ALTER TABLE integrations ALTER COLUMN secret_hash DROP DEFAULT; DROP TABLE integration_secrets"
    )
