"""Whom a rebind would choose, as tenants show it before anybody approves it: counts and ids of products, no people."""

from datetime import datetime
from enum import StrEnum

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import SkuId
from provisioning.domain.reasons import Reason


class Formerly(StrEnum):
    """Where the people of the present binding are."""

    NOWHERE = "nowhere"  # there is no present binding
    HERE = "here"  # in the same tenant: so it is known who comes and who goes
    ELSEWHERE = "elsewhere"  # in the tenant that the organisation leaves
    UNREAD = "unread"  # they could not be read, or are in a tenant that nobody confirmed to be theirs


class PeopleSeen(msgspec.Struct, frozen=True, kw_only=True):
    """`undecided`: whom a selector chooses and nobody can decide about. They are none of the `selected`.

    `licensed`: of the selected, who hold a product that was bought for them. `before`: whom the present binding
    chooses, None where that is not known; `coming` and `going`: in one tenant only.
    """

    selected: int = 0
    undecided: dict[Reason, int] = {}
    licensed: int = 0
    before: int | None = None
    coming: int | None = None
    going: int | None = None


class ProductSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Seats of one product. `bought`: by whoever holds them for the organisation, in the tenant; `left`: in the old.

    The others are everybody's there, as the tenant shows them; `in_grace` count for nobody.
    """

    sku_id: SkuId
    bought: int = 0
    left: int = 0
    enabled: int = 0
    free: int = 0
    in_grace: int = 0


class RebindLook(msgspec.Struct, frozen=True, kw_only=True):
    """`basis`: digest of the binding, and of everybody else's there, that was counted by. `asked`: the audiences
    whose selectors are to be approved.

    `seen_at`: None while nobody could look. `total`: everybody once, whatever audiences they are of. `is_theirs`: a
    confirmed binding or a verified domain says so already; until then a board is told no numbers of that tenant.
    `is_shared`: other boards use it as well. `trouble`: why the last look failed; `tries`: how often in a row it came
    to nothing that can be approved.
    """

    basis: str
    next_look_at: datetime
    asked: tuple[Audience, ...] = ()
    seen_at: datetime | None = None
    audiences: dict[Audience, PeopleSeen] = {}
    total: PeopleSeen = PeopleSeen()
    products: tuple[ProductSeen, ...] = ()
    formerly: Formerly = Formerly.NOWHERE
    is_theirs: bool = False
    is_shared: bool = False
    trouble: Reason | None = None
    tries: int = 0
