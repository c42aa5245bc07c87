"""Runs migrations over archive files: unit by unit, in several processes, each unit kept until all of it is done."""

from runbook.adapters.archives.conversion.converter import FileConverter

__all__ = ["FileConverter"]
