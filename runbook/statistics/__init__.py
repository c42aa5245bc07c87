"""Mathematics of samples: pure and deterministic."""
