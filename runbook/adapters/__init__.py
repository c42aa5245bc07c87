"""The only modules that touch the world; each implements one port."""
