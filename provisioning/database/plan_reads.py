"""What a stored plan says of each person, and the steps that it gives them."""

from sqlalchemy import select

from provisioning.database.store import Store, columns_of
from provisioning.database.tables.journal import steps, subjects
from provisioning.domain.ids import PlanId
from provisioning.domain.operation import Step
from provisioning.ports import PlannedPerson


class PlanReads(Store):
    def people(self, plan: PlanId) -> list[PlannedPerson]:
        """In the order of their ids."""
        query = columns_of(subjects, PlannedPerson).where(subjects.c.plan_id == plan)
        return self._list(query.order_by(subjects.c.subject_id), PlannedPerson)

    def steps(self, plan: PlanId) -> list[Step]:
        """In the order of the plan."""
        columns = [steps.c[name] for name in Step.__struct_fields__ if name != "reason"]
        query = select(*columns, steps.c.explanation.label("reason")).where(steps.c.plan_id == plan)
        return self._list(query.order_by(steps.c.position), Step)
