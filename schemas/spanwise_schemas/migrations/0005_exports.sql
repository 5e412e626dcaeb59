-- Files that were written out on a schedule: see spanwise_collector/exports. One row per export and what it is of (a day, a version of
-- a dataset); a later row replaces it.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS exports (
  project_id LowCardinality(String), name String, part String, place String, n_rows UInt64, state LowCardinality(String), reason String,
  ts DateTime64(3,'UTC'), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (project_id, name, part) TTL toDateTime(ts) + toIntervalDay(400)
SETTINGS non_replicated_deduplication_window=10000;
