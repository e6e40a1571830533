#!/bin/sh
# Run once, when the database is made: the service's own role, which migrations then give exactly the rights it needs.
set -eu
password=$(cat /run/secrets/SERVICE_PASSWORD)
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 --set "password=$password" <<'SQL'
CREATE ROLE provisioning_service LOGIN PASSWORD :'password';
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SQL
