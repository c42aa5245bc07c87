"""The archive format: what is written, what is read, what is proven. Nothing here opens files.

Streams come from outside. `kinds` knows the records of each schema, `writer` and `reader` the one layout of an export,
`shards` and `manifest` the parts of a backup, `checker` what holds for a record wherever it stands, `limits` every
limit.
"""
