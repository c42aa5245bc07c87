"""The ports without the world: for tests and dry runs. Each keeps its port's whole contract."""
