"""What nobody outside Microsoft knows for sure, as named switches with the default this twin believes in."""

from typing import Annotated, Literal

import msgspec

# A collection of which every page is empty, or of which objects are left out, is not what Microsoft has.
Every = Annotated[int, msgspec.Meta(ge=2)]
AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]


class Switches(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answers to the open questions; change them at run time through `PUT /_sandbox/switches`."""

    warning_units_assignable: bool = False
    """Whether units in their grace period accept new assignments; public sources contradict each other."""
    warning_serves: bool = True
    """Whether people keep working while a subscription is in grace: for volume licences the page says both."""
    dormant_skus_answer: Literal["no_seats", "unknown_sku"] = "no_seats"
    """What an assignment of a SKU gets that is only suspended or locked out: the seat error, or that of no such SKU."""
    deleted_subscriptions_listed: bool = False
    """Whether a deleted subscription stays in /directory/subscriptions; its SKU is gone from /subscribedSkus."""
    invalid_disabled_plan: Literal["refuse", "ignore"] = "refuse"
    """What happens to a disabled plan that is not part of the SKU."""
    same_sku_in_add_and_remove: Literal["refuse", "reassign"] = "refuse"
    """What one call that adds and removes the same SKU gets: a 400, or the direct assignment renewed."""
    max_skus_per_call: int | None = None
    """Most SKUs in one assignLicense; Microsoft documents no limit."""
    max_licences_per_user: int | None = None
    """Most distinct SKUs one person may hold; Microsoft documents no limit."""
    unsupported_locations: tuple[str, ...] = ()
    """Usage locations where no service is sold."""
    unsupported_location_message: str = (
        "License assignment failed because the service is not available in the usage location of the user."
    )
    """The text for such a location; Microsoft's own is unknown."""
    proxy_address_clashes: tuple[str, ...] = ()
    """Ids of users whose every new licence ends in a proxy address clash."""
    synced_accounts_assignable: bool = True
    """Whether accounts synchronised from on premises take direct licences."""
    restricted_units_refuse: bool = True
    """Whether members of a restricted administrative unit (isManagementRestricted) answer 403 to writes."""
    same_user_in_batch_conflicts: bool = True
    """Whether the second write to one user in one unordered batch gets 409."""
    same_group_in_batch_conflicts: bool = True
    """Whether the second write to one group in one unordered batch gets 409."""
    group_known_after_seconds: float = 0.0
    """Sandbox seconds after its creation in which a group answers 400 to new members."""
    dynamic_group_refusal_status: Literal[400, 403] = 400
    """The status that refuses a member written to a dynamic group; only that it is refused is known."""
    group_processing_seconds: Annotated[float, msgspec.Meta(ge=0)] = 20.0
    """Sandbox seconds between a change of a group and the first person it is processed for."""
    group_processing_per_second: Annotated[float, msgspec.Meta(gt=0)] = 50.0
    """People per sandbox second for whom a tenant processes its groups."""
    errored_members_retried: bool = False
    """Whether members whose licences from a group failed are tried again by themselves, when seats come for example."""
    errored_members_retry_seconds: Annotated[float, msgspec.Meta(gt=0)] = 300.0
    """Sandbox seconds between two such tries, which all of a tenant's failing members make together."""
    conflict_retry_after: str | None = None
    """The Retry-After of a 409, if it has one."""
    retry_after: Literal["whole", "fractional", "one", "absent"] = "whole"
    """How a refused request learns when to come back: rounded up, to the millisecond, a constant 1, not at all."""
    low_priority_share: float = 0.8
    """The part of each limit open to requests with x-ms-throttle-priority: Low; they are only said to go first."""
    batch_resource_units: int = 0
    """Resource units that a $batch envelope costs beside its items."""
    consumed_units: Literal["replica", "immediate"] = "replica"
    """Whether consumedUnits lags like every other read."""
    consent_delay_seconds: float = 0.0
    """Sandbox seconds before a fresh consent works; `fresh_consent` says how it fails until then."""
    fresh_consent: Literal["unknown_app", "missing_roles"] = "unknown_app"
    """What a first consent looks like meanwhile: AADSTS700016, or a token without the new roles. A permission that is
    added later is always merely missing."""
    admin_consent: Literal["accepts", "asks"] = "accepts"
    """Whether the consent page agrees at once, or shows what is asked with an Accept and a Cancel."""
    token_lifetime_seconds: int = 3599
    """Real seconds an access token lives."""
    unknown_tenant_error: Literal["invalid_request", "invalid_tenant"] = "invalid_request"
    """What the token endpoint calls an unknown tenant (AADSTS90002); discovery always says invalid_tenant."""
    token_error_line_breaks: bool = False
    """Whether error_description breaks lines before Trace ID, as older answers did, or has spaces."""
    token_error_statuses: dict[str, int] = {}
    """HTTP status per AADSTS code where Microsoft's is unverified, for example {"7000112": 401}."""
    users_page_token_expires: bool = True
    """Whether page 2 of a filter on assignedLicenses without the advanced headers answers 400."""
    casts_are_advanced: bool = True
    """Whether a cast (members/microsoft.graph.user) with other options needs the advanced headers."""
    empty_page_every: Every | None = None
    """Makes every n-th page of users an empty one with a nextLink."""
    short_page_every: AtLeastOne | None = None
    """Makes every n-th page of users half as long as asked."""
    page_token_lifetime_seconds: float | None = None
    """Sandbox seconds after which a nextLink answers 400."""
    index_extra_lag_seconds: float = 0.0
    """Sandbox seconds that the index behind advanced queries lags beyond the object store."""
    delta_page_size: AtLeastOne = 200
    """Most objects on a page of a delta query; Microsoft names no number."""
    delta_delay_seconds: float = 0.0
    """Sandbox seconds before a change shows in delta, beside the replicas' lag."""
    delta_tracks_assignment_states: bool = False
    """Whether a change of licenseAssignmentStates alone brings a user up in delta."""
    delta_repeats: NotNegative = 0
    """How many objects of a page come again on the next one."""
    delta_replays: NotNegative = 0
    """How many changes of a finished round come again in the next."""
    shuffle_delta: bool = True
    """Whether the objects of a page come in an order of their own."""
    batch_items_name_requests: bool = False
    """Whether items of a batch carry request-id headers; no public capture shows them."""
    shuffle_batch: bool = True
    """Whether a batch answers in an order of its own."""
    latency_seconds: float = 0.0
    """Real seconds every Graph answer takes on its way."""
