"""Whoever acts in a rehearsal: two who are nobody in the real installation."""

from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import Actor

OPERATOR = Identity(actor=Actor("person:rehearsing-operator"), roles=frozenset({Role.OPERATOR}))
APPROVER = Identity(actor=Actor("person:rehearsing-approver"), roles=frozenset({Role.APPROVER}))
REASON = "rehearsal"
EVIDENCE = "rehearsal: nobody's mailbox"
