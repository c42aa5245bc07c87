"""`python -m runbook` is `runbook`."""

from runbook.cli.root import main

main()
