"""The words of the system: frozen, typed, without I/O and without third parties."""
