"""Tests of the rules for promtool, out of the same data: each alert fires when it should, and not before. Pure."""
