"""The operational database's migrations, run by `casework.database.migrate`."""
