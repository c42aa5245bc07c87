"""The online migration: plan, fill, verify, catch up, freeze, switch; and the way back. Over ports."""
