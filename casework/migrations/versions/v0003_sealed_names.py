"""Names sealed under a key for each pupil, and the record of decisions on pupils' rights."""

from datetime import date

from alembic import op
from sqlalchemy import Connection, text

from casework.names import Named, seal

revision = "0003"
down_revision = "0002"

_BATCH = 5000

TABLES = """
CREATE TABLE pupil_keys (
  -- The one place of the keys. Deleting a row makes what is sealed under it unreadable for good.
  pupil_id uuid NOT NULL CONSTRAINT pupil_keys_pkey PRIMARY KEY
    CONSTRAINT pupil_keys_pupil_id_fkey REFERENCES pupils,
  wrapped bytea NOT NULL
);
CREATE TABLE rights_decisions (
  id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT rights_decisions_pkey PRIMARY KEY,
  -- No foreign key: it outlives the pupil's rows, and then the id means nothing any more.
  pupil_id uuid NOT NULL,
  asked text NOT NULL CHECK (asked IN ('objection', 'withdrawal', 'erasure')),
  ground text NOT NULL, outcome text NOT NULL CHECK (outcome IN ('granted', 'refused')),
  note text NOT NULL CHECK (length(note) >= 20),
  decided_by uuid NOT NULL CONSTRAINT rights_decisions_decided_by_fkey REFERENCES people,
  decided_on date NOT NULL, recorded_at timestamptz NOT NULL
);
CREATE INDEX rights_decisions_pupil_id_idx ON rights_decisions (pupil_id);
"""

# The rows of these tables are seen and written only inside the schools of the setting.
SCOPED = {
    "pupil_keys": "belong_everywhere() OR EXISTS (SELECT 1 FROM pupils p WHERE p.id = pupil_keys.pupil_id)",
    "rights_decisions": "belong_everywhere()",
}

SECURITY = """
CREATE TRIGGER rights_decisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rights_decisions
  FOR EACH STATEMENT EXECUTE FUNCTION belong_refuse_change();
GRANT SELECT ON pupil_keys TO belong_app, belong_job;
GRANT INSERT, UPDATE ON pupil_keys TO belong_job;
GRANT SELECT, INSERT ON rights_decisions TO belong_job;
"""


def upgrade() -> None:
    """Seal every name that stands open, and leave no copy of it in the table's file."""
    connection = op.get_bind()
    op.execute(TABLES)
    for table, seen in SCOPED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_in_scope ON {table} USING ({seen}) WITH CHECK ({seen})")
    op.execute(SECURITY)
    op.execute("ALTER TABLE pupils ADD COLUMN identity bytea")
    _seal_all(connection)
    op.execute("ALTER TABLE pupils ALTER COLUMN identity SET NOT NULL")
    op.execute(
        "ALTER TABLE pupils DROP COLUMN upn, DROP COLUMN forename, DROP COLUMN surname, DROP COLUMN date_of_birth"
    )
    # Writes the table anew: a dropped column's values otherwise stay in its file.
    op.execute("CLUSTER pupils USING pupils_pkey")


def _seal_all(connection: Connection) -> None:
    connection.execute(text("SELECT set_config('belong.schools', '*', true)"))
    waiting = connection.execute(text("SELECT count(*) FROM pupils")).scalar_one()
    if not waiting:
        return
    master = connection.get_execution_options()["identities_key"]
    rows = connection.execute(text("SELECT id, pseudonym, upn, forename, surname, date_of_birth FROM pupils")).all()
    for start in range(0, len(rows), _BATCH):
        sealed = [
            {"id": row.id, "made": seal(master, row.pseudonym, _named(*row[2:]))}
            for row in rows[start : start + _BATCH]
        ]
        connection.execute(
            text("UPDATE pupils SET identity = :identity WHERE id = :id"),
            [{"id": one["id"], "identity": one["made"].identity} for one in sealed],
        )
        connection.execute(
            text("INSERT INTO pupil_keys (pupil_id, wrapped) VALUES (:id, :wrapped)"),
            [{"id": one["id"], "wrapped": one["made"].key} for one in sealed],
        )
    # Checks of constraints wait in a queue until here; a table with one waiting cannot be altered.
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def _named(upn: str, forename: str, surname: str, born: date | None) -> Named:
    return Named(upn=upn, forename=forename, surname=surname, date_of_birth=born)


def downgrade() -> None:
    """Names are never laid open again."""
    raise NotImplementedError("this revision cannot be undone: restore a backup, or delete the home")
