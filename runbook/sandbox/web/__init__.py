"""The operations contract over HTTP."""
