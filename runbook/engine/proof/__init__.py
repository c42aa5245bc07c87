"""Evidence of a rollout: what is written into a bundle, and how a bundle is proven without the fleet."""
