-- Erasing what is stored of a user, a session or a trace, and remembering it. Reasons: docs/decisions/0016-erasure.md

-- What was asked for, how far it is and what came of it. `digest` is SHA-256 of project, kind and value, in hex; of a trace it is its id.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS erasures (
  project_id LowCardinality(String), erasure_id String, kind Enum8('user'=1,'session'=2,'trace'=3), digest String, before DateTime64(6,'UTC'),
  state LowCardinality(String), body String CODEC(ZSTD(3)), by String, asked_at DateTime64(3,'UTC'), ts DateTime64(3,'UTC'), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (project_id, erasure_id) SETTINGS non_replicated_deduplication_window=10000;

-- The memory that ingest obeys, as a numbered journal: up to which number it was read says what a batch was built by. Without an end:
-- whatever is replayed, and when, it does not come back.
-- shard by 0
CREATE TABLE IF NOT EXISTS erasure_marks (
  number UInt64, owner String, project_id LowCardinality(String), erasure_id String, kind Enum8('user'=1,'session'=2,'traces'=3), digest String,
  before DateTime64(6,'UTC'), ts DateTime64(3,'UTC')
) ENGINE = MergeTree ORDER BY number SETTINGS non_replicated_deduplication_window=10000;

-- The traces of a mark of the kind `traces`.
-- shard by cityHash64(trace_id)
CREATE TABLE IF NOT EXISTS erased_traces (
  project_id LowCardinality(String), trace_id FixedString(16), number UInt64, erasure_id String
) ENGINE = MergeTree ORDER BY (project_id, erasure_id, trace_id, number) SETTINGS non_replicated_deduplication_window=10000;

-- What ingest kept out since, one row per batch, mark and trace; `ts` is the time of the latest record.
-- shard by cityHash64(trace_id)
CREATE TABLE IF NOT EXISTS erasure_drops (
  project_id LowCardinality(String), number UInt64, trace_id FixedString(16), n_items UInt64, ts DateTime64(3,'UTC')
) ENGINE = MergeTree PARTITION BY toYYYYMM(ts) ORDER BY (project_id, number, trace_id) TTL toDateTime(ts) + toIntervalDay(400)
SETTINGS non_replicated_deduplication_window=10000;

-- Of which records spans were removed, by an erasure or by a project's retention, so that the audit does not miss them.
-- shard by cityHash64(ktopic, kpart)
CREATE TABLE IF NOT EXISTS removed_offsets (
  ktopic LowCardinality(String), kpart UInt16, koff UInt64, why String, n_spans SimpleAggregateFunction(max,UInt64),
  ts SimpleAggregateFunction(max,DateTime64(3,'UTC'))
) ENGINE = AggregatingMergeTree ORDER BY (ktopic, kpart, koff, why) TTL toDateTime(ts) + toIntervalDay(180)
SETTINGS non_replicated_deduplication_window=10000;

-- emitted = stored + rejected + duplicates + erased; and up to which mark the batch was built by.
ALTER TABLE ingest_ledger ADD COLUMN IF NOT EXISTS n_erased UInt64;
ALTER TABLE ingest_ledger ADD COLUMN IF NOT EXISTS erasures UInt64;
ALTER TABLE ingest_pins ADD COLUMN IF NOT EXISTS erasures UInt64;
ALTER TABLE producers ADD COLUMN IF NOT EXISTS n_erased SimpleAggregateFunction(sum,UInt64);
