"""Partnership: agreements with partners, who signs in for whom, and actions that each partner sees by its agreement."""

from alembic import op

revision = "0022"
down_revision = "0021"

ROLES = """
ALTER TABLE person_roles DROP CONSTRAINT person_roles_role_check;
ALTER TABLE person_roles ADD CONSTRAINT person_roles_role_check CHECK (role IN ('school_staff', 'school_lead',
  'network_lead', 'data_scientist', 'board_member', 'data_protection_officer', 'administrator', 'partner'));
"""
TABLES = """
CREATE TABLE partnerships (
  id text NOT NULL CONSTRAINT partnerships_pkey PRIMARY KEY, title text NOT NULL CHECK (title <> ''),
  kind text NOT NULL CHECK (kind IN ('borough', 'health', 'youth', 'family', 'police')),
  actions boolean NOT NULL, places boolean NOT NULL, schools integer[],
  starts_on date NOT NULL, ends_on date NOT NULL CHECK (ends_on >= starts_on), assessed_on date,
  -- The database too lets no partner in policing near an action on a pupil.
  CHECK (NOT (kind = 'police' AND actions))
);
CREATE TABLE partner_members (
  person_id uuid NOT NULL CONSTRAINT partner_members_pkey PRIMARY KEY
    CONSTRAINT partner_members_person_id_fkey REFERENCES people,
  partnership text NOT NULL CHECK (partnership <> ''),
  given_by uuid NOT NULL CONSTRAINT partner_members_given_by_fkey REFERENCES people, given_at timestamptz NOT NULL,
  CHECK (given_by <> person_id)
);
CREATE TABLE partner_actions (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT partner_actions_pkey PRIMARY KEY,
  partnership text NOT NULL CHECK (partnership <> ''),
  pupil_id uuid CONSTRAINT partner_actions_pupil_id_fkey REFERENCES pupils,
  school_urn integer CONSTRAINT partner_actions_school_urn_fkey REFERENCES schools,
  place text, reference text NOT NULL, what text NOT NULL CHECK (what <> ''),
  owner text NOT NULL CHECK (owner IN ('ours', 'theirs')),
  CHECK ((pupil_id IS NULL) = (school_urn IS NULL)), CHECK ((pupil_id IS NULL) <> (place IS NULL))
);
CREATE INDEX partner_actions_pupil_id_idx ON partner_actions (pupil_id);
CREATE INDEX partner_actions_school_urn_idx ON partner_actions (school_urn);
CREATE TABLE partner_steps (
  action_id uuid NOT NULL CONSTRAINT partner_steps_action_id_fkey REFERENCES partner_actions,
  number integer NOT NULL CHECK (number > 0),
  step text NOT NULL CHECK (step IN ('agree', 'put_off', 'done', 'withdraw', 'learned')),
  due_on date CHECK ((step IN ('agree', 'put_off')) = (due_on IS NOT NULL)), said text NOT NULL,
  person_id uuid NOT NULL CONSTRAINT partner_steps_person_id_fkey REFERENCES people, by_partner boolean NOT NULL,
  taken_on date NOT NULL, recorded_at timestamptz NOT NULL,
  idempotency_key text NOT NULL CONSTRAINT partner_steps_idempotency_key_key UNIQUE,
  CONSTRAINT partner_steps_pkey PRIMARY KEY (action_id, number),
  CHECK (NOT (by_partner AND step IN ('agree', 'put_off', 'withdraw')))
);
"""
# A partner's session sees no school: what it sees, it sees by an agreement that stands on its day.
SHARED = """
CREATE FUNCTION belong_partner() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  RETURN coalesce(current_setting('belong.partner', true), '');
-- Without a day no agreement stands.
CREATE FUNCTION belong_day() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('belong.day', true), '')::date;
CREATE FUNCTION belong_shared(agreed text, school integer) RETURNS boolean LANGUAGE sql STABLE
  RETURN agreed = belong_partner() AND EXISTS (
    SELECT FROM partnerships p WHERE p.id = agreed
      AND belong_day() BETWEEN p.starts_on AND p.ends_on AND p.assessed_on <= belong_day()
      AND CASE WHEN school IS NULL THEN p.places
        ELSE p.actions AND p.kind <> 'police' AND (p.schools IS NULL OR school = ANY (p.schools)) END
  );
"""
_OURS = "CASE WHEN school_urn IS NULL THEN belong_everywhere() ELSE belong_sees(school_urn) END"
# Whoever sees the action sees its steps, and writes them as who they are.
_STEPS = "EXISTS (SELECT FROM partner_actions a WHERE a.id = action_id)"
POLICIES = f"""
ALTER TABLE partner_actions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY partner_actions_in_scope ON partner_actions
  USING ({_OURS} OR belong_shared(partnership, school_urn)) WITH CHECK ({_OURS});
ALTER TABLE partner_steps ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY partner_steps_in_scope ON partner_steps
  USING ({_STEPS}) WITH CHECK ({_STEPS} AND by_partner = (belong_partner() <> ''));
"""
# Of counts by place a partner's session gets wards and boroughs, and of them what is not about lists.
COUNTS = """
ALTER POLICY place_counts_in_scope ON place_counts USING (
  CASE WHEN belong_partner() <> '' THEN belong_shared(belong_partner(), NULL) AND cut IN ('ward', 'borough')
      AND measure IN ('pupils', 'sessions_possible', 'sessions_missed', 'suspensions')
    ELSE school_urn IS NULL OR belong_sees(school_urn) OR belong_places() END
);
"""
COUNTS_BEFORE = (
    "ALTER POLICY place_counts_in_scope ON place_counts "
    "USING (school_urn IS NULL OR belong_sees(school_urn) OR belong_places())"
)
APPENDED = ("partner_actions", "partner_steps")
GRANTS = """
GRANT SELECT ON partnerships, partner_members, partner_actions, partner_steps TO belong_app, belong_job;
GRANT INSERT, UPDATE, DELETE ON partner_members TO belong_app, belong_job;
GRANT INSERT ON partner_actions, partner_steps TO belong_app;
GRANT INSERT, DELETE ON partnerships TO belong_job;
"""


def upgrade() -> None:
    """Make the tables, closed before they hold anything; what was agreed and done is never changed in place."""
    for statements in (ROLES, TABLES, SHARED, POLICIES, COUNTS, GRANTS):
        op.execute(statements)
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change()"
        )


def downgrade() -> None:
    """Drop them, with what they say, and the role."""
    op.execute(COUNTS_BEFORE)
    op.execute(
        "DROP TABLE partner_steps, partner_actions; "
        "DROP FUNCTION belong_shared(text, integer), belong_partner(), belong_day(); "
        "DROP TABLE partner_members, partnerships"
    )
    op.execute("ALTER TABLE person_roles DISABLE TRIGGER person_roles_noted")
    op.execute("DELETE FROM person_roles WHERE role = 'partner'")
    op.execute("ALTER TABLE person_roles ENABLE TRIGGER person_roles_noted")
    op.execute("ALTER TABLE person_roles DROP CONSTRAINT person_roles_role_check")
    op.execute(
        "ALTER TABLE person_roles ADD CONSTRAINT person_roles_role_check CHECK (role IN ('school_staff', "
        "'school_lead', 'network_lead', 'data_scientist', 'board_member', 'data_protection_officer', 'administrator'))"
    )
