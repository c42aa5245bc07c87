"""A rollout: a fold over the journal, gates, stages that are entered and taken back, and who watches them."""
