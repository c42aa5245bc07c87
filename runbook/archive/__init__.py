"""The archive format: what is written, what is read, what is proven. Streams come from outside; nothing here opens files.

`kinds` knows the records of each schema, `writer` and `reader` the one layout of an export, `shards` and `manifest` the
parts of a backup, `checker` what holds for a record wherever it stands, `limits` every limit.
"""
