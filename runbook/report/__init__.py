"""A result as text or JSON; knows results, not Click."""
