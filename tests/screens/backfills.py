"""Backfills on the night that the screens are tested on: made as the console makes them, run by the same engine."""

from __future__ import annotations

from datetime import date

from dpconsole.core.domain.backfill_form import BackfillForm, DateRange, Mode
from dpconsole.core.domain.keys import Layer, TreeId
from dpconsole.core.engine.backfilling import create, submit
from tests.screens.night import Night

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 4)


def plant(night: Night, *tasks: str, submitter: str = "lin", name: str = "refill pay", **form: object) -> TreeId:
    """A submitted backfill of tasks with everything below them, on four data timestamps unless told otherwise."""
    values: dict[str, object] = {"ranges": (DateRange(FIRST, LAST),), "mode": Mode.LIST, "name": name} | form
    store = night.services.store
    with store.write() as transaction:
        asked = BackfillForm(tasks=tasks or ("trade.ods_trade_order",), **values)  # type: ignore[arg-type]
        made = create(transaction, asked, submitter, night.clock.now())
    submit(store, night.clock, made)
    return TreeId(Layer.BACKFILL, made)


def plant_some(night: Night) -> None:
    """An older one of mei's that is done, and a newer one of lin's, whose two queues are both under way."""
    plant(night, "growth.用户增长_渠道_00", submitter="mei", name="growth again", ranges=(DateRange(FIRST, FIRST),))
    night.pass_minutes(20)
    plant(night, groups=2)
    night.pass_minutes(9)
