"""What somebody may see, where reading is not for everybody."""

import msgspec

from provisioning.domain.ids import Actor, OrganisationId


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """Of these organisations only, or only what this client brought in; without either: everything."""

    organisations: frozenset[OrganisationId] | None = None
    brought_in_by: Actor | None = None


EVERYTHING = Sight()
NOTHING = Sight(organisations=frozenset())
