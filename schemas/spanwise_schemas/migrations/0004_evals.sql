-- Scores that can be trusted: how targets were chosen, evaluators, judges, people, experiments. Reasons: docs/decisions/0012-evals.md

-- With which probability the target was chosen to be scored, out of which stratum ('' where everything is scored).
ALTER TABLE scores ADD COLUMN IF NOT EXISTS inclusion_p Float64 DEFAULT 1;
ALTER TABLE scores ADD COLUMN IF NOT EXISTS stratum LowCardinality(String);

-- Judges: see spanwise_collector/evals.
-- Verdicts by the content that they are of, so that the same content is paid for once.
-- shard by cityHash64(cache_key)
CREATE TABLE IF NOT EXISTS judge_cache (
  cache_key FixedString(32), project_id LowCardinality(String), judge LowCardinality(String), body String CODEC(ZSTD(3)), keep_days UInt16, ts DateTime64(3,'UTC')
) ENGINE = MergeTree ORDER BY (cache_key, ts) TTL toDateTime(ts) + toIntervalDay(keep_days) SETTINGS non_replicated_deduplication_window=10000;

-- Money of judges, by day: row n of a day says how much was taken out so far. Of all who write row n one lands.
-- shard by cityHash64(project_id, judge)
CREATE TABLE IF NOT EXISTS judge_money (
  project_id LowCardinality(String), judge LowCardinality(String), day Date, term UInt64, owner String, granted_n Int64, spent_n Int64, limit_n Int64,
  ts DateTime64(3,'UTC')
) ENGINE = MergeTree ORDER BY (project_id, judge, day, term) TTL day + toIntervalDay(90) SETTINGS non_replicated_deduplication_window=10000;

-- What became of targets, as each process counted it: scored, cached, skipped, errors with their last message.
-- shard by cityHash64(project_id, judge)
CREATE TABLE IF NOT EXISTS judge_outcomes (
  project_id LowCardinality(String), judge LowCardinality(String), outcome LowCardinality(String), time DateTime('UTC'), n UInt64, cost_n Int64,
  message String CODEC(ZSTD(1))
) ENGINE = MergeTree PARTITION BY toYYYYMM(time) ORDER BY (project_id, judge, time, outcome) TTL time + toIntervalDay(90)
SETTINGS non_replicated_deduplication_window=10000;

-- Items that people have labelled, judged again and again: apart from scores, since they are no part of an application's means.
-- shard by cityHash64(project_id, judge)
CREATE TABLE IF NOT EXISTS judge_anchors (
  project_id LowCardinality(String), judge LowCardinality(String), judge_version LowCardinality(String), model LowCardinality(String), anchor_id String,
  human Float64, value Float64, label LowCardinality(String), reason String CODEC(ZSTD(1)), slot DateTime64(3,'UTC'), ts DateTime64(3,'UTC'), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (project_id, judge, anchor_id, slot) TTL toDateTime(slot) + toIntervalDay(400)
SETTINGS non_replicated_deduplication_window=10000;

-- Evaluators as SQL expressions: see spanwise_collector/sql_evals.

-- Each version of each evaluator; rows are added only, and the highest version of a name holds.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS sql_evaluators (
  project_id LowCardinality(String), name String, version UInt32, expression String CODEC(ZSTD(3)), filter String CODEC(ZSTD(3)),
  description String, kind LowCardinality(String), by String, id String, ts DateTime64(3,'UTC')
) ENGINE = ReplacingMergeTree ORDER BY (project_id, name, version) SETTINGS non_replicated_deduplication_window=10000;

-- Whether an evaluator is on: what people want, and, apart from it, how far the collector is with it and what hinders it.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS sql_evaluator_marks (
  project_id LowCardinality(String), name String, writer Enum8('person'=1,'collector'=2), state LowCardinality(String), reason String,
  body String CODEC(ZSTD(3)), ts DateTime64(3,'UTC'), row_version UInt64
) ENGINE = ReplacingMergeTree(row_version) ORDER BY (project_id, name, writer) SETTINGS non_replicated_deduplication_window=10000;

-- Scoring of history: what people want, and how far the collector is.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS sql_backfills (
  project_id LowCardinality(String), job_id String, writer Enum8('person'=1,'collector'=2), name String, evaluator_version UInt32,
  state LowCardinality(String), reason String, body String CODEC(ZSTD(3)), ts DateTime64(3,'UTC'), row_version UInt64
) ENGINE = ReplacingMergeTree(row_version) ORDER BY (project_id, job_id, writer) TTL toDateTime(ts) + toIntervalDay(90)
SETTINGS non_replicated_deduplication_window=10000;

-- What people review: see spanwise_collector/annotate.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS annotation_queues (
  project_id LowCardinality(String), queue_id String, body String CODEC(ZSTD(1)), by String, ts DateTime64(3,'UTC'), version UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (project_id, queue_id) SETTINGS non_replicated_deduplication_window=10000;

-- Up to when a queue was filled, and what went wrong last.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS annotation_fills (
  project_id LowCardinality(String), queue_id String, filled_to DateTime64(6,'UTC'), note String, ts DateTime64(3,'UTC'), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (project_id, queue_id) SETTINGS non_replicated_deduplication_window=10000;

-- What was chosen, out of which stratum and with which probability. The span id is zero where the whole trace is reviewed.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS annotation_items (
  project_id LowCardinality(String), queue_id String, item_id FixedString(16), trace_id FixedString(16), span_id FixedString(8),
  started DateTime64(6,'UTC'), stratum LowCardinality(String), inclusion_p Float64, wanted UInt8, ts DateTime64(3,'UTC'), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (project_id, queue_id, item_id) SETTINGS non_replicated_deduplication_window=10000;

-- What each reviewer said of an item; the scores themselves are in `scores`.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS annotation_reviews (
  project_id LowCardinality(String), queue_id String, item_id FixedString(16), reviewer String, outcome Enum8('done'=1,'skipped'=2),
  answers String CODEC(ZSTD(1)), comment String CODEC(ZSTD(1)), ts DateTime64(3,'UTC'), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (project_id, queue_id, item_id, reviewer) SETTINGS non_replicated_deduplication_window=10000;

-- What the output should have been, by those who reviewed it; for datasets and fine-tuning.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS corrections (
  project_id LowCardinality(String), trace_id FixedString(16), span_id FixedString(8), by String, queue_id String, output String CODEC(ZSTD(3)),
  comment String CODEC(ZSTD(1)), ts DateTime64(3,'UTC'), version UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (project_id, trace_id, span_id, by) SETTINGS non_replicated_deduplication_window=10000;

-- Datasets and experiments: see spanwise_collector/datasets.

-- Names of datasets; the last word counts.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS datasets (
  project_id LowCardinality(String), name String, description String, by String, created_at DateTime64(3,'UTC'), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (project_id, name) SETTINGS non_replicated_deduplication_window=10000;

-- A version is published by its row here, written under a token of dataset and number, so that of two writers one has it.
-- `change` names the rows of dataset_items that it brings: they are written before, and nobody sees them until then.
-- shard by cityHash64(project_id, dataset)
CREATE TABLE IF NOT EXISTS dataset_versions (
  project_id LowCardinality(String), dataset String, number UInt32, change String, note String, by String,
  n_items UInt64, n_added UInt64, n_changed UInt64, n_removed UInt64, ts DateTime64(3,'UTC')
) ENGINE = MergeTree ORDER BY (project_id, dataset, number) SETTINGS non_replicated_deduplication_window=10000;

-- What an item is from the version on that publishes its change; values are JSON. Rows are added only.
-- shard by cityHash64(project_id, dataset)
CREATE TABLE IF NOT EXISTS dataset_items (
  project_id LowCardinality(String), dataset String, change String, item_id String, position UInt64, is_removed Bool,
  input String CODEC(ZSTD(3)), expected String CODEC(ZSTD(3)), rejected String CODEC(ZSTD(3)), metadata String CODEC(ZSTD(3)),
  item_group String, trace_id FixedString(16), span_id FixedString(8), ts DateTime64(3,'UTC')
) ENGINE = ReplacingMergeTree ORDER BY (project_id, dataset, change, item_id) SETTINGS non_replicated_deduplication_window=10000;

-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS experiments (
  project_id LowCardinality(String), experiment_id String, name String, dataset String, dataset_version UInt32, n_items UInt32,
  repeats UInt16, evaluators Map(String, String), metadata Map(String, String), release String, by String,
  state Enum8('running'=0,'finished'=1,'stopped'=2), started_at DateTime64(3,'UTC'), updated_at DateTime64(3,'UTC'), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (project_id, experiment_id) SETTINGS non_replicated_deduplication_window=10000;

-- One run of the task on one item; done again, it replaces itself. An error of the task has no scores.
-- shard by cityHash64(project_id, experiment_id)
CREATE TABLE IF NOT EXISTS experiment_results (
  project_id LowCardinality(String), experiment_id String, item_id String, repeat UInt16, item_group String,
  input String CODEC(ZSTD(3)), expected String CODEC(ZSTD(3)), output String CODEC(ZSTD(3)), error String CODEC(ZSTD(3)),
  duration_ms Float64, trace_id FixedString(16), span_id FixedString(8),
  scores Map(LowCardinality(String), Float64), labels Map(LowCardinality(String), String),
  explanations Map(LowCardinality(String), String) CODEC(ZSTD(3)), score_errors Map(LowCardinality(String), String),
  ts DateTime64(3,'UTC'), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (project_id, experiment_id, item_id, repeat)
SETTINGS non_replicated_deduplication_window=10000;
