"""Every limit of the archive formats. A reader refuses what exceeds one; a writer never writes it."""

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

LINE_BYTES = MIB
"""Of one record, one header; a record of 768 dimensions and a page of text needs 8 KiB."""
FOOTER_BYTES = 8 * MIB
"""The footer of the largest archive: 1024 blocks in the first GiB and 65 472 in the rest, 67 bytes each, is 4.3 MiB."""
ARCHIVE_BYTES = 1024 * GIB
"""Of one archive, unpacked."""
DEPTH = 32
"""Of nested arrays and objects within a record."""
ID_BYTES = 256
DIMENSIONS = 768
EMBEDDING_BYTES = DIMENSIONS * 4
LARGEST_COUNT = 2**64 - 1

BLOCK_BYTES = MIB
"""What one hash of the footer is of, in the first `FINE_BYTES`."""
FINE_BYTES = GIB
COARSE_BLOCK_BYTES = 16 * MIB
"""The same for what comes after them."""

CHUNK_BYTES = MIB
"""How much is read and written at a time."""
BATCH_RECORDS = 256
"""How many records are decoded at a time: about 1 MiB."""
FRAME_BYTES = 8 * MIB
"""Of one zstd frame of ours, unpacked."""
WINDOW_BYTES = 8 * MIB
"""Of any zstd frame that is read."""
SHARD_BYTES = 64 * MIB
"""Of one shard, unpacked."""
SHARD_LEAST_BYTES = 32 * MIB
"""From here on a shard may end early, so that shards of two backups fall into step again."""
MANIFEST_BYTES = 64 * MIB
SHARDS = 32 * KIB
"""Of one part of a backup: 2 TiB."""
