"""A local twin of Microsoft Graph and the Entra token endpoint, with a ledger and a control API of its own."""
