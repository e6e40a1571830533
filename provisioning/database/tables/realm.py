"""Which realm this database serves: one row, written once."""

from sqlalchemy import Table

from provisioning.database.tables.columns import METADATA, label, moment, only_row

realm = Table("realm", METADATA, only_row(), label("name"), moment("claimed_at"))
