"""The command line: parse, build, call, report, exit."""
