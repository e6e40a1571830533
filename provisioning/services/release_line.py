"""An operator lets a suspicion pass, or has a held line judged again."""

from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.errors import InputError
from provisioning.domain.ids import LineKey
from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import OrderLine
from provisioning.domain.rights import Action, require
from provisioning.planning.order_rules import RELEASABLE
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.judge_lines import JudgeLines
from provisioning.services.line_deeds import deed, get_line


@dataclass(frozen=True, kw_only=True)
class ReleaseLine:
    """What is no suspicion is only judged again: a rule of the trade gives way to facts, not to persons."""

    open_uow: OpenUnitOfWork
    judge: JudgeLines
    clock: Clock

    def __call__(self, key: LineKey, identity: Identity, because: str) -> OrderLine:
        """The line as it stands afterwards. Raises NotAllowedError, or InputError when the line is not held."""
        require(identity, Action.RELEASE_ORDER)
        now = self.clock.now()
        with self.open_uow() as uow:
            line = get_line(uow, key)
            if line.state is not LineState.HELD:
                raise InputError(f"Order line {key} is {line.state}; only a held line can be released.")
            releaser = identity.actor if line.reason in RELEASABLE else None
            uow.orders.set_state(key, LineState.HELD, line.reason, now, line.warnings, released_by=releaser)
            uow.audit.record([deed(line, "order.released", identity, now, because)])
            uow.commit()
        self.judge.judge([key])
        with self.open_uow() as uow:
            return get_line(uow, key)
