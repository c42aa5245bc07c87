"""The rollout plans that come with the tool: typed data, one file each, found by walking."""
