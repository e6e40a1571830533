"""What a wave wrote for people, as its journal has it: a roll back takes back that, and nothing else.

What Microsoft accepted is ours, whatever came of it: a step may have failed because nobody could read it back in time,
and its write be there all the same.
"""

from collections.abc import Iterable, Sequence

from provisioning.domain.ids import SkuId
from provisioning.domain.lifecycle import StepState
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import StepRecord


def accepted(records: Iterable[StepRecord]) -> list[StepRecord]:
    """Those that were accepted, or found done."""
    return [record for record in records if record.applied_at is not None]


def as_we_left(records: Sequence[StepRecord], sku_id: SkuId, person: Person | None) -> HeldLicence | None:
    """The product as our writes left it with one person; None when none of them gave it.

    `records`: the person's, accepted, the oldest first. Of what nobody has read back since it was last certain, that
    is believed which they hold now.
    """
    gave = [record for record in records if record.step.change.add_sku == sku_id]
    certain = max((place for place, record in enumerate(gave) if record.state is StepState.VERIFIED), default=0)
    left = [HeldLicence(sku_id, record.step.change.disabled_plans) for record in gave[certain:]]
    held = person.direct(sku_id) if person else None
    return next((one for one in left if held and one.disabled_plans == held.disabled_plans), left[-1] if left else None)
