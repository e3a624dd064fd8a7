"""Making the operational database forget: what was deleted leaves its files, its statistics and its log of changes."""

import os
from typing import Final

from sqlalchemy import Engine, text

from casework.base import Base
from casework.embedded import forget_changes
from casework.privacy.gathered import IN_THE_DATABASE
from records.clock import DATABASE_VARIABLE
from records.home import Home

OPERATOR: Final = (
    "Have a superuser run VACUUM (FULL) pg_catalog.pg_statistic: the planner's statistics hold values of columns.",
    "Let archived and recycled write-ahead log go (wal_recycle = off, pg_switch_wal(), CHECKPOINT), on every replica.",
    "Let base backups and dumps from before this day expire; restore one only with `belong pupil reapply-erasures`.",
)


def forget(engine: Engine, home: Home) -> tuple[str, ...]:
    """Write the tables anew without what was deleted; return what the operator of another database must still do.

    Needs the owner's role. Pages wait while their table is written: some seconds for a large network.
    """
    tables = [table for holding in IN_THE_DATABASE for table in holding.places if table in Base.metadata.tables]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in tables:
            connection.execute(text(f"VACUUM (FULL, ANALYZE) {table}"))
    if os.environ.get(DATABASE_VARIABLE):
        return OPERATOR
    forget_changes(home)
    return ()
