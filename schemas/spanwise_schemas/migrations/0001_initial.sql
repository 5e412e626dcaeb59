-- Spans, their bodies, roll-ups, scores, the ledger. Reasons: docs/decisions/0002-tables.md

-- shard by cityHash64(trace_id)
CREATE TABLE IF NOT EXISTS spans (
  project_id LowCardinality(String), trace_id FixedString(16), span_id FixedString(8), parent_span_id FixedString(8),
  start_time DateTime64(6,'UTC') CODEC(Delta(8),ZSTD(1)), duration_us UInt64 CODEC(T64,ZSTD(1)), ttft_us UInt32 CODEC(T64,ZSTD(1)),
  is_root Bool, name LowCardinality(String),
  kind Enum8('other'=0,'llm'=1,'embedding'=2,'tool'=3,'agent'=4,'chain'=5,'retriever'=6,'reranker'=7,'guardrail'=8,'evaluator'=9,'prompt'=10,'event'=11),
  status Enum8('unset'=0,'ok'=1,'error'=2), error_type LowCardinality(String), status_message String,
  env LowCardinality(String), service LowCardinality(String), release LowCardinality(String),
  convention LowCardinality(String), scope LowCardinality(String), sdk LowCardinality(String),
  user_id String, session_id String, agent_name LowCardinality(String), tool_name LowCardinality(String),
  prompt_name LowCardinality(String), prompt_version LowCardinality(String), tags Array(LowCardinality(String)),
  provider LowCardinality(String), model_request LowCardinality(String), model_response LowCardinality(String),
  finish_reason LowCardinality(String), response_id String,
  tok_input UInt32, tok_cache_read UInt32, tok_cache_write UInt32, tok_output UInt32, tok_reasoning UInt32,
  usage_extra Map(LowCardinality(String), UInt64),
  cost_input_n Int64, cost_output_n Int64, cost_total_n Int64,
  cost_source Enum8('none'=0,'reported'=1,'computed'=2), price_version LowCardinality(String), counts_usage Bool,
  input_preview String CODEC(ZSTD(1)), output_preview String CODEC(ZSTD(1)), input_bytes UInt32, output_bytes UInt32,
  attrs Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  warnings Array(LowCardinality(String)),
  retention_days UInt16 DEFAULT 30, ingested_at DateTime64(3,'UTC'),
  ktopic LowCardinality(String), kpart UInt16, koff UInt64,
  INDEX ix_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX ix_sess session_id TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX ix_user user_id TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX ix_dur duration_us TYPE minmax GRANULARITY 1,
  INDEX ix_koff koff TYPE minmax GRANULARITY 1,
  INDEX ix_attrk mapKeys(attrs) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplacingMergeTree(ingested_at) PARTITION BY toDate(start_time)
PRIMARY KEY (project_id, toStartOfFiveMinutes(start_time), trace_id)
ORDER BY (project_id, toStartOfFiveMinutes(start_time), trace_id, start_time, span_id)
TTL toDate(start_time) + toIntervalDay(retention_days) DELETE
SETTINGS non_replicated_deduplication_window=10000, ttl_only_drop_parts=1, index_granularity=1024,
  map_serialization_version='with_buckets';

-- shard by cityHash64(trace_id)
CREATE TABLE IF NOT EXISTS span_io (
  project_id LowCardinality(String), trace_id FixedString(16), span_id FixedString(8), start_time DateTime64(6,'UTC'),
  input String CODEC(ZSTD(3)), output String CODEC(ZSTD(3)), system_instructions String CODEC(ZSTD(3)),
  tool_defs String CODEC(ZSTD(3)), events String CODEC(ZSTD(3)), ingested_at DateTime64(3,'UTC'),
  INDEX fts_in input TYPE text(tokenizer=splitByNonAlpha, preprocessor=lowerUTF8(input)),
  INDEX fts_out output TYPE text(tokenizer=splitByNonAlpha, preprocessor=lowerUTF8(output))
) ENGINE = ReplacingMergeTree(ingested_at) PARTITION BY toDate(start_time)
ORDER BY (project_id, toStartOfFiveMinutes(start_time), trace_id, start_time, span_id)
TTL toDate(start_time) + toIntervalDay(14) DELETE
SETTINGS non_replicated_deduplication_window=10000, ttl_only_drop_parts=1, index_granularity=1024,
  index_granularity_bytes='64Mi', merge_max_block_size_bytes='64Mi', max_compress_block_size=4194304;

-- shard by cityHash64(trace_id)
CREATE TABLE IF NOT EXISTS trace_agg (
  project_id LowCardinality(String), bucket DateTime('UTC'), trace_id FixedString(16),
  start_time SimpleAggregateFunction(min,DateTime64(6,'UTC')), end_time SimpleAggregateFunction(max,DateTime64(6,'UTC')),
  n_spans SimpleAggregateFunction(sum,UInt64), n_calls SimpleAggregateFunction(sum,UInt64), n_err SimpleAggregateFunction(sum,UInt64),
  tok_input SimpleAggregateFunction(sum,UInt64), tok_output SimpleAggregateFunction(sum,UInt64),
  cost_n SimpleAggregateFunction(sum,Int64), n_unpriced SimpleAggregateFunction(sum,UInt64),
  root_name SimpleAggregateFunction(max,String), has_root SimpleAggregateFunction(max,UInt8), root_status SimpleAggregateFunction(max,UInt8),
  root_start SimpleAggregateFunction(max,DateTime64(6,'UTC')),
  kinds SimpleAggregateFunction(groupBitOr,UInt16),
  user_id SimpleAggregateFunction(max,String), session_id SimpleAggregateFunction(max,String), env SimpleAggregateFunction(max,String),
  release SimpleAggregateFunction(max,String),
  models SimpleAggregateFunction(groupUniqArrayArray,Array(String)), tags SimpleAggregateFunction(groupUniqArrayArray,Array(String)),
  retention_days SimpleAggregateFunction(max,UInt16),
  INDEX ix_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX ix_user user_id TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX ix_sess session_id TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = AggregatingMergeTree PARTITION BY toDate(bucket) ORDER BY (project_id, bucket, trace_id)
TTL bucket + toIntervalDay(retention_days) DELETE SETTINGS non_replicated_deduplication_window=10000, ttl_only_drop_parts=1, index_granularity=1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS trace_agg_mv TO trace_agg AS SELECT project_id, toStartOfHour(spans.start_time) AS bucket, trace_id,
  min(spans.start_time) AS start_time, max(spans.start_time + toIntervalMicrosecond(duration_us)) AS end_time,
  count() AS n_spans, countIf(counts_usage) AS n_calls, countIf(status='error') AS n_err,
  sumIf(spans.tok_input, counts_usage) AS tok_input, sumIf(spans.tok_output, counts_usage) AS tok_output,
  sumIf(cost_total_n, counts_usage) AS cost_n, countIf(counts_usage AND cost_source='none') AS n_unpriced,
  maxIf(name, is_root) AS root_name, max(toUInt8(is_root)) AS has_root, maxIf(toUInt8(status), is_root) AS root_status,
  maxIf(spans.start_time, is_root) AS root_start,
  groupBitOr(bitShiftLeft(toUInt16(1), toUInt8(kind))) AS kinds,
  max(spans.user_id) AS user_id, max(spans.session_id) AS session_id, max(spans.env) AS env, max(spans.release) AS release,
  groupUniqArrayIf(if(model_response!='', model_response, model_request)::String, model_response!='' OR model_request!='') AS models,
  groupUniqArrayArray(spans.tags::Array(String)) AS tags, max(spans.retention_days) AS retention_days
FROM spans GROUP BY project_id, bucket, trace_id;

-- Roll-ups, each from the one before, so that a question of any length reads few rows. `time` is the start of the step.
-- shard by rand()
CREATE TABLE IF NOT EXISTS metrics_1m (
  project_id LowCardinality(String), time DateTime('UTC'), env LowCardinality(String), kind LowCardinality(String), model LowCardinality(String), name LowCardinality(String),
  n SimpleAggregateFunction(sum,UInt64), n_root SimpleAggregateFunction(sum,UInt64), n_err SimpleAggregateFunction(sum,UInt64), n_root_err SimpleAggregateFunction(sum,UInt64),
  n_calls SimpleAggregateFunction(sum,UInt64), n_unpriced SimpleAggregateFunction(sum,UInt64),
  tok_input SimpleAggregateFunction(sum,UInt64), tok_output SimpleAggregateFunction(sum,UInt64), tok_cache_read SimpleAggregateFunction(sum,UInt64),
  tok_cache_write SimpleAggregateFunction(sum,UInt64), tok_reasoning SimpleAggregateFunction(sum,UInt64), cost_n SimpleAggregateFunction(sum,Int64),
  lat AggregateFunction(quantilesDD(0.01,0.5,0.9,0.95,0.99),UInt64), root_lat AggregateFunction(quantilesDD(0.01,0.5,0.9,0.95,0.99),UInt64),
  ttft AggregateFunction(quantilesDD(0.01,0.5,0.9,0.95,0.99),UInt32), users AggregateFunction(uniqCombined64(12),String)
) ENGINE = AggregatingMergeTree PARTITION BY toDate(time) ORDER BY (project_id, time, env, kind, model, name)
TTL time + toIntervalDay(90) DELETE SETTINGS non_replicated_deduplication_window=10000, ttl_only_drop_parts=1, index_granularity=1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS metrics_1m_mv TO metrics_1m AS SELECT project_id, toStartOfMinute(start_time) AS time, env,
  toString(kind) AS kind, if(model_response!='',model_response,model_request) AS model, name,
  count() AS n, countIf(is_root) AS n_root, countIf(status='error') AS n_err, countIf(is_root AND status='error') AS n_root_err,
  countIf(counts_usage) AS n_calls, countIf(counts_usage AND cost_source='none') AS n_unpriced,
  sumIf(spans.tok_input,counts_usage) AS tok_input, sumIf(spans.tok_output,counts_usage) AS tok_output, sumIf(spans.tok_cache_read,counts_usage) AS tok_cache_read,
  sumIf(spans.tok_cache_write,counts_usage) AS tok_cache_write, sumIf(spans.tok_reasoning,counts_usage) AS tok_reasoning, sumIf(cost_total_n,counts_usage) AS cost_n,
  quantilesDDState(0.01,0.5,0.9,0.95,0.99)(duration_us) AS lat, quantilesDDStateIf(0.01,0.5,0.9,0.95,0.99)(duration_us, is_root) AS root_lat,
  quantilesDDStateIf(0.01,0.5,0.9,0.95,0.99)(ttft_us, ttft_us>0) AS ttft, uniqCombined64StateIf(12)(user_id, user_id!='') AS users
FROM spans GROUP BY project_id, time, env, kind, model, name;

-- shard by rand()
CREATE TABLE IF NOT EXISTS metrics_10m (
  project_id LowCardinality(String), time DateTime('UTC'), env LowCardinality(String), kind LowCardinality(String), model LowCardinality(String), name LowCardinality(String),
  n SimpleAggregateFunction(sum,UInt64), n_root SimpleAggregateFunction(sum,UInt64), n_err SimpleAggregateFunction(sum,UInt64), n_root_err SimpleAggregateFunction(sum,UInt64),
  n_calls SimpleAggregateFunction(sum,UInt64), n_unpriced SimpleAggregateFunction(sum,UInt64),
  tok_input SimpleAggregateFunction(sum,UInt64), tok_output SimpleAggregateFunction(sum,UInt64), tok_cache_read SimpleAggregateFunction(sum,UInt64),
  tok_cache_write SimpleAggregateFunction(sum,UInt64), tok_reasoning SimpleAggregateFunction(sum,UInt64), cost_n SimpleAggregateFunction(sum,Int64),
  lat AggregateFunction(quantilesDD(0.01,0.5,0.9,0.95,0.99),UInt64), root_lat AggregateFunction(quantilesDD(0.01,0.5,0.9,0.95,0.99),UInt64),
  ttft AggregateFunction(quantilesDD(0.01,0.5,0.9,0.95,0.99),UInt32), users AggregateFunction(uniqCombined64(12),String)
) ENGINE = AggregatingMergeTree PARTITION BY toDate(time) ORDER BY (project_id, time, env, kind, model, name)
TTL time + toIntervalDay(90) DELETE SETTINGS non_replicated_deduplication_window=10000, ttl_only_drop_parts=1, index_granularity=1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS metrics_10m_mv TO metrics_10m AS SELECT project_id, toStartOfTenMinutes(metrics_1m.time) AS time, env, kind, model, name,
  sum(metrics_1m.n) AS n, sum(metrics_1m.n_root) AS n_root, sum(metrics_1m.n_err) AS n_err, sum(metrics_1m.n_root_err) AS n_root_err,
  sum(metrics_1m.n_calls) AS n_calls, sum(metrics_1m.n_unpriced) AS n_unpriced, sum(metrics_1m.tok_input) AS tok_input, sum(metrics_1m.tok_output) AS tok_output,
  sum(metrics_1m.tok_cache_read) AS tok_cache_read, sum(metrics_1m.tok_cache_write) AS tok_cache_write, sum(metrics_1m.tok_reasoning) AS tok_reasoning, sum(metrics_1m.cost_n) AS cost_n,
  quantilesDDMergeState(0.01,0.5,0.9,0.95,0.99)(metrics_1m.lat) AS lat, quantilesDDMergeState(0.01,0.5,0.9,0.95,0.99)(metrics_1m.root_lat) AS root_lat,
  quantilesDDMergeState(0.01,0.5,0.9,0.95,0.99)(metrics_1m.ttft) AS ttft, uniqCombined64MergeState(12)(metrics_1m.users) AS users
FROM metrics_1m GROUP BY project_id, time, env, kind, model, name;

-- shard by rand()
CREATE TABLE IF NOT EXISTS metrics_1h (
  project_id LowCardinality(String), time DateTime('UTC'), env LowCardinality(String), kind LowCardinality(String), model LowCardinality(String), name LowCardinality(String),
  n SimpleAggregateFunction(sum,UInt64), n_root SimpleAggregateFunction(sum,UInt64), n_err SimpleAggregateFunction(sum,UInt64), n_root_err SimpleAggregateFunction(sum,UInt64),
  n_calls SimpleAggregateFunction(sum,UInt64), n_unpriced SimpleAggregateFunction(sum,UInt64),
  tok_input SimpleAggregateFunction(sum,UInt64), tok_output SimpleAggregateFunction(sum,UInt64), tok_cache_read SimpleAggregateFunction(sum,UInt64),
  tok_cache_write SimpleAggregateFunction(sum,UInt64), tok_reasoning SimpleAggregateFunction(sum,UInt64), cost_n SimpleAggregateFunction(sum,Int64),
  lat AggregateFunction(quantilesDD(0.01,0.5,0.9,0.95,0.99),UInt64), root_lat AggregateFunction(quantilesDD(0.01,0.5,0.9,0.95,0.99),UInt64),
  ttft AggregateFunction(quantilesDD(0.01,0.5,0.9,0.95,0.99),UInt32), users AggregateFunction(uniqCombined64(12),String)
) ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(time) ORDER BY (project_id, time, env, kind, model, name)
TTL time + toIntervalDay(400) DELETE SETTINGS non_replicated_deduplication_window=10000, ttl_only_drop_parts=1, index_granularity=1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS metrics_1h_mv TO metrics_1h AS SELECT project_id, toStartOfHour(metrics_10m.time) AS time, env, kind, model, name,
  sum(metrics_10m.n) AS n, sum(metrics_10m.n_root) AS n_root, sum(metrics_10m.n_err) AS n_err, sum(metrics_10m.n_root_err) AS n_root_err,
  sum(metrics_10m.n_calls) AS n_calls, sum(metrics_10m.n_unpriced) AS n_unpriced, sum(metrics_10m.tok_input) AS tok_input, sum(metrics_10m.tok_output) AS tok_output,
  sum(metrics_10m.tok_cache_read) AS tok_cache_read, sum(metrics_10m.tok_cache_write) AS tok_cache_write, sum(metrics_10m.tok_reasoning) AS tok_reasoning, sum(metrics_10m.cost_n) AS cost_n,
  quantilesDDMergeState(0.01,0.5,0.9,0.95,0.99)(metrics_10m.lat) AS lat, quantilesDDMergeState(0.01,0.5,0.9,0.95,0.99)(metrics_10m.root_lat) AS root_lat,
  quantilesDDMergeState(0.01,0.5,0.9,0.95,0.99)(metrics_10m.ttft) AS ttft, uniqCombined64MergeState(12)(metrics_10m.users) AS users
FROM metrics_10m GROUP BY project_id, time, env, kind, model, name;

-- shard by rand()
CREATE TABLE IF NOT EXISTS metrics_1d (
  project_id LowCardinality(String), time DateTime('UTC'), env LowCardinality(String), kind LowCardinality(String), model LowCardinality(String), name LowCardinality(String),
  n SimpleAggregateFunction(sum,UInt64), n_root SimpleAggregateFunction(sum,UInt64), n_err SimpleAggregateFunction(sum,UInt64), n_root_err SimpleAggregateFunction(sum,UInt64),
  n_calls SimpleAggregateFunction(sum,UInt64), n_unpriced SimpleAggregateFunction(sum,UInt64),
  tok_input SimpleAggregateFunction(sum,UInt64), tok_output SimpleAggregateFunction(sum,UInt64), tok_cache_read SimpleAggregateFunction(sum,UInt64),
  tok_cache_write SimpleAggregateFunction(sum,UInt64), tok_reasoning SimpleAggregateFunction(sum,UInt64), cost_n SimpleAggregateFunction(sum,Int64),
  lat AggregateFunction(quantilesDD(0.01,0.5,0.9,0.95,0.99),UInt64), root_lat AggregateFunction(quantilesDD(0.01,0.5,0.9,0.95,0.99),UInt64),
  ttft AggregateFunction(quantilesDD(0.01,0.5,0.9,0.95,0.99),UInt32), users AggregateFunction(uniqCombined64(12),String)
) ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(time) ORDER BY (project_id, time, env, kind, model, name)
TTL time + toIntervalDay(400) DELETE SETTINGS non_replicated_deduplication_window=10000, ttl_only_drop_parts=1, index_granularity=1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS metrics_1d_mv TO metrics_1d AS SELECT project_id, toDateTime(toDate(metrics_1h.time), 'UTC') AS time, env, kind, model, name,
  sum(metrics_1h.n) AS n, sum(metrics_1h.n_root) AS n_root, sum(metrics_1h.n_err) AS n_err, sum(metrics_1h.n_root_err) AS n_root_err,
  sum(metrics_1h.n_calls) AS n_calls, sum(metrics_1h.n_unpriced) AS n_unpriced, sum(metrics_1h.tok_input) AS tok_input, sum(metrics_1h.tok_output) AS tok_output,
  sum(metrics_1h.tok_cache_read) AS tok_cache_read, sum(metrics_1h.tok_cache_write) AS tok_cache_write, sum(metrics_1h.tok_reasoning) AS tok_reasoning, sum(metrics_1h.cost_n) AS cost_n,
  quantilesDDMergeState(0.01,0.5,0.9,0.95,0.99)(metrics_1h.lat) AS lat, quantilesDDMergeState(0.01,0.5,0.9,0.95,0.99)(metrics_1h.root_lat) AS root_lat,
  quantilesDDMergeState(0.01,0.5,0.9,0.95,0.99)(metrics_1h.ttft) AS ttft, uniqCombined64MergeState(12)(metrics_1h.users) AS users
FROM metrics_1h GROUP BY project_id, time, env, kind, model, name;

-- shard by cityHash64(score_id)
CREATE TABLE IF NOT EXISTS scores (
  project_id LowCardinality(String), score_id FixedString(16), target Enum8('span'=1,'trace'=2,'session'=3),
  trace_id FixedString(16), span_id FixedString(8), session_id String, response_id String,
  name LowCardinality(String), value Nullable(Float64), label LowCardinality(String), explanation String CODEC(ZSTD(3)),
  source Enum8('code'=1,'llm'=2,'human'=3,'user'=4), evaluator LowCardinality(String), evaluator_version LowCardinality(String),
  ts DateTime64(6,'UTC'), version UInt64, is_deleted UInt8 DEFAULT 0, judge_cost_n Int64, judge_trace_id FixedString(16),
  INDEX ix_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (project_id, score_id)
SETTINGS non_replicated_deduplication_window=10000;

-- One row per released batch: which offsets became how many rows.
-- shard by cityHash64(topic_id, part)
CREATE TABLE IF NOT EXISTS ingest_ledger (
  topic LowCardinality(String), topic_id LowCardinality(String), part UInt16, off_from UInt64, off_to UInt64,
  n_records UInt64, n_spans UInt64, n_scores UInt64, n_rejected UInt64, n_duplicates UInt64, n_warnings UInt64, bytes UInt64,
  first_record_ts DateTime64(3,'UTC'), last_record_ts DateTime64(3,'UTC'), code_version LowCardinality(String), ts DateTime64(3,'UTC')
) ENGINE = MergeTree PARTITION BY toYYYYMM(ts) ORDER BY (topic, topic_id, part, off_from) TTL toDateTime(ts) + toIntervalDay(180)
SETTINGS non_replicated_deduplication_window=10000;

-- What each producer said of itself, summed from record headers: emitted = stored + rejected + dropped + still in Kafka.
-- shard by cityHash64(producer)
CREATE TABLE IF NOT EXISTS producers (
  producer String, project_id LowCardinality(String), service LowCardinality(String), sdk LowCardinality(String),
  n_records SimpleAggregateFunction(sum,UInt64), n_spans SimpleAggregateFunction(sum,UInt64), max_seq SimpleAggregateFunction(max,UInt64),
  dropped SimpleAggregateFunction(max,UInt64), n_rejected SimpleAggregateFunction(sum,UInt64), n_duplicates SimpleAggregateFunction(sum,UInt64),
  first_ts SimpleAggregateFunction(min,DateTime64(3,'UTC')), last_ts SimpleAggregateFunction(max,DateTime64(3,'UTC'))
) ENGINE = AggregatingMergeTree PARTITION BY tuple() ORDER BY (producer, project_id, service, sdk) TTL toDateTime(last_ts) + toIntervalDay(90)
SETTINGS non_replicated_deduplication_window=10000;

-- Where each partition stands, for `static` assignment (one writer by configuration; `group` keeps this in Kafka).
-- shard by cityHash64(topic_id, part)
CREATE TABLE IF NOT EXISTS ingest_pins (
  topic LowCardinality(String), topic_id LowCardinality(String), part UInt16, next_offset UInt64, pin_to Int64, code_version LowCardinality(String), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (topic, topic_id, part);

-- What was refused and why; the original bytes are in the topic spanwise_rejects.
-- shard by cityHash64(topic_id, part)
CREATE TABLE IF NOT EXISTS ingest_rejects (
  topic LowCardinality(String), topic_id LowCardinality(String), part UInt16, off UInt64, producer String,
  reason LowCardinality(String), detail String, n_items UInt32, record_bytes UInt64, record_ts DateTime64(3,'UTC')
) ENGINE = MergeTree PARTITION BY toYYYYMM(record_ts) ORDER BY (topic, topic_id, part, off) TTL toDateTime(record_ts) + toIntervalDay(30)
SETTINGS non_replicated_deduplication_window=10000;
