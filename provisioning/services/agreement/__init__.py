"""Whole agreements that Microsoft moves to another tenant (S28): followed for days, then served and cleaned up."""
