"""One module for each noun."""

from provisioning.web.routes import (
    actors,
    audit,
    campaign_deeds,
    campaigns,
    configuration,
    migration_deeds,
    migrations,
    notices,
    operations,
    orders,
    organisations,
    plans,
    records,
    stops,
    tenants,
    worklist,
)

ROUTERS = (
    orders.router,
    operations.router,
    plans.router,
    worklist.router,
    notices.router,
    organisations.router,
    tenants.router,
    records.router,
    migrations.router,
    migration_deeds.router,
    campaigns.router,
    campaign_deeds.router,
    stops.router,
    configuration.router,
    actors.router,
    audit.router,
)
