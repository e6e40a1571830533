"""The service over HTTP: routes call the same services as commands do."""
