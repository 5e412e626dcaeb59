-- What spans of every client need, and one bill per call. Reasons: docs/decisions/0007-one-meaning.md

-- `mapping`: JSON object, field to the attribute that gave it; one text per shape of span.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS mapping LowCardinality(String) CODEC(ZSTD(1));
ALTER TABLE spans ADD COLUMN IF NOT EXISTS streaming Bool;
ALTER TABLE spans ADD COLUMN IF NOT EXISTS tool_call_id String;
ALTER TABLE spans ADD COLUMN IF NOT EXISTS params Map(LowCardinality(String), String) CODEC(ZSTD(1));
-- Both prices of a call, in nano-dollars, -1 where there is none; cost_total_n is the one that holds.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS cost_reported_n Int64 DEFAULT -1;
ALTER TABLE spans ADD COLUMN IF NOT EXISTS cost_computed_n Int64 DEFAULT -1;
-- Why a span with usage does not bear the bill; empty where it does, or has nothing to bear.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS usage_reason LowCardinality(String);

-- Content attributes as sent, where their meaning was put into another form or another attribute was better.
ALTER TABLE span_io ADD COLUMN IF NOT EXISTS raw Map(LowCardinality(String), String) CODEC(ZSTD(3));

-- Content that came as log records; joined to its span when it is read, since either may arrive first.
-- shard by cityHash64(trace_id)
CREATE TABLE IF NOT EXISTS span_content (
  project_id LowCardinality(String), trace_id FixedString(16), span_id FixedString(8), time DateTime64(6,'UTC'),
  side Enum8('input'=1,'output'=2,'system'=3,'tools'=4), seq UInt64, event LowCardinality(String),
  body String CODEC(ZSTD(3)), ingested_at DateTime64(3,'UTC'),
  INDEX ix_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX fts body TYPE text(tokenizer=splitByNonAlpha, preprocessor=lowerUTF8(body))
) ENGINE = ReplacingMergeTree(ingested_at) PARTITION BY toDate(time)
ORDER BY (project_id, toStartOfFiveMinutes(time), trace_id, span_id, time, side, seq)
TTL toDate(time) + toIntervalDay(14) DELETE
SETTINGS non_replicated_deduplication_window=10000, ttl_only_drop_parts=1, index_granularity=1024;

-- Changes made to stored spans after ingest (bills moved, prices renewed): a journal, see docs/decisions/0008-one-bill.md
-- shard by 0
CREATE TABLE IF NOT EXISTS amendments (
  number UInt64, owner String, kind LowCardinality(String), project_id LowCardinality(String),
  from_time DateTime64(6,'UTC'), to_time DateTime64(6,'UTC'), state LowCardinality(String), step UInt8,
  change String CODEC(ZSTD(3)), n_spans UInt64, cost_before_n Int64, cost_after_n Int64, ts DateTime64(3,'UTC')
) ENGINE = ReplacingMergeTree(step) ORDER BY (number) TTL toDateTime(ts) + toIntervalDay(400)
SETTINGS non_replicated_deduplication_window=10000;

-- What lightweight updates need: the row's number in its first part.
ALTER TABLE spans MODIFY SETTING enable_block_number_column=1, enable_block_offset_column=1;

-- Equal inputs, for the question what a cache of answers would have saved. The second takes upper and lower case, digits
-- and white space for the same. DEFAULT and not MATERIALIZED, which a Distributed table would refuse to pass on.
ALTER TABLE span_io ADD COLUMN IF NOT EXISTS input_hash UInt64 DEFAULT cityHash64(input, system_instructions, tool_defs) CODEC(NONE);
ALTER TABLE span_io ADD COLUMN IF NOT EXISTS near_hash UInt64
  DEFAULT cityHash64(translate(lower(input), '0123456789 \n\r\t', ''), system_instructions, tool_defs) CODEC(NONE);

-- Log records with message content, beside spans and scores.
ALTER TABLE ingest_ledger ADD COLUMN IF NOT EXISTS n_contents UInt64;
