"""Signed webhooks, in and out: the only code that speaks Standard Webhooks."""
