"""Migrations: from the file to the closing statement."""

from provisioning.cli.command import noun

group = noun("People of one tenant who go to another, wave by wave.")
