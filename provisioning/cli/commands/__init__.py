"""One module for each noun."""

import typer

from provisioning.cli.commands import (
    actors,
    audit,
    calibration,
    campaign_deeds,
    campaigns,
    configuration,
    database,
    local,
    mappings,
    migration_deeds,
    migration_gate,
    migrations,
    notices,
    operations,
    orders,
    organisations,
    plans,
    records,
    rehearsal,
    sandbox,
    serve,
    service,
    tenant_policy,
    tenants,
    tickets,
    webhooks,
)


def register_all(app: typer.Typer) -> None:
    """Add every command and group, in the order in which help lists them."""
    local.register(app)
    service.register(app)
    serve.register(app)
    tenant_policy.register(tenants.group)
    calibration.register(tenants.group)
    migration_deeds.register(migrations.group)
    migration_gate.register(migrations.group)
    campaign_deeds.register(campaigns.group)
    rehearsal.register(migrations.group)
    for group, name in (
        (database.group, "db"),
        (actors.group, "actors"),
        (mappings.group, "mappings"),
        (configuration.group, "configuration"),
        (records.group, "records"),
        (organisations.group, "organisations"),
        (tenants.group, "tenants"),
        (orders.group, "orders"),
        (operations.group, "operations"),
        (plans.group, "plans"),
        (migrations.group, "migrations"),
        (tickets.group, "tickets"),
        (campaigns.group, "campaigns"),
        (notices.group, "notices"),
        (webhooks.group, "webhooks"),
        (audit.group, "audit"),
        (sandbox.group, "sandbox"),
    ):
        app.add_typer(group, name=name)
