"""Agreements on their way to another tenant: what was there, what was seen since, how far our own part is.

Microsoft moves them by hand, within a week or so, and tells nobody (domain, section 8): all we have is what the two
tenants show. Counts and ids of tenants, products and subscriptions; no people.
"""

from datetime import date, datetime

import msgspec

from provisioning.domain.ids import Actor, OperationId, OrganisationId, SkuId, TenantId
from provisioning.domain.observation import Subscription
from provisioning.domain.reasons import Reason

WITHHELD = "elsewhere"  # stands for a tenant that its customer must not learn of: another customer's


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look at both tenants: every subscription with its status, of all products.

    `bought`: seats of each product that our ledger explains in the target, so that an order which arrives there
    meanwhile is not taken for the agreement.
    """

    at: datetime
    source: tuple[Subscription, ...] = ()
    target: tuple[Subscription, ...] = ()
    bought: dict[SkuId, int] = {}


class SchoolPeople(msgspec.Struct, frozen=True, kw_only=True):
    """Of one school, as an inventory counts them: a teacher at two schools is counted at the first.

    `holding`: how many hold each product that moves, in the source; whoever holds two of them is one of `losing`.
    `serving`: how many of `ready` each product is for, in the target: staff and pupils get each their own.
    """

    organisation_id: OrganisationId
    losing: int = 0
    present: int = 0
    ready: int = 0
    holding: dict[SkuId, int] = {}
    serving: dict[SkuId, int] = {}


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """What moving would come to, as seen in both tenants.

    `moving`: seats of the agreements by product. `along`: seats of the source that our ledger does not explain; under
    the same customer number they go too. `staying`: seats there that others bought. `losing`: people of theirs who
    hold a product that moves; `present`: people of theirs in the target, of whom `ready` can get a licence at once;
    `schools`: the same people by school.
    `is_there_already`: Microsoft moved them before anybody asked us.
    """

    moving: dict[SkuId, int] = {}
    along: dict[SkuId, int] = {}
    staying: dict[SkuId, int] = {}
    losing: int = 0
    present: int = 0
    ready: int = 0
    schools: tuple[SchoolPeople, ...] = ()
    is_there_already: bool = False


class AgreementMove(msgspec.Struct, frozen=True, kw_only=True):
    """`before`: the look that everything later is compared with. `next_look_at`: not sooner does it make sense.

    `seen_since`: since when both show what they show; None: since the first look. `vanished_at`: since when seats are
    in neither tenant. `seen_in`: another tenant of ours in which they seem to be;
    `searched_to`: how far the search for them came. `alarms`: what operators were told, each once. `trouble`: why the
    last look failed. `moved_on`: the day on which the ledger followed. `inventoried_at`: None until it was taken.
    `is_withheld`: the source is another customer's, and nobody's business but ours (S32).
    """

    source: TenantId
    target: TenantId
    inventory: Inventory = Inventory()
    inventoried_at: datetime | None = None
    before: Look
    latest: Look
    looks: int = 1
    next_look_at: datetime
    case_number: str | None = None
    filed_by: Actor | None = None
    seen_since: datetime | None = None
    vanished_at: datetime | None = None
    seen_in: TenantId | None = None
    searched_to: TenantId | None = None
    alarms: tuple[Reason, ...] = ()
    trouble: Reason | None = None
    moved_on: date | None = None
    serving: tuple[OperationId, ...] = ()
    releasing: tuple[OperationId, ...] = ()
    is_released: bool = False  # what is to be taken in the source was decided, even if that is nothing
    unserved: tuple[SkuId, ...] = ()  # products of which somebody in the target got nothing, or not everybody
    holders: tuple[OrganisationId, ...] = ()  # whose seats move, as it was approved; records may change meanwhile
    is_withheld: bool = False
