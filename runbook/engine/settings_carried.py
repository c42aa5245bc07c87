"""A planned change of settings, carried out; apart from the planning, which those who only look need, too."""

from runbook.engine.carry import Carried, Context, alone, carry
from runbook.model.run import RunPlan


def set_settings(context: Context, plan: RunPlan) -> Carried:
    """Carry out the run.

    Raises:
        LockedError, StorageError: before anything was changed.
        InterruptedRunError: the run is in the journal and can be resumed.
    """
    with alone(context, plan):
        return carry(context, plan, plan.steps, new=True)
