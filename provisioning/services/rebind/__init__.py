"""An organisation uses another tenant, or others of a tenant are its people: proposed, and looked at beforehand."""
