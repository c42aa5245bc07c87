"""Alertmanager's webhook: who may send, what is taken, what is refused."""
