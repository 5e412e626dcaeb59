-- Failures, signals to watch, texts, alerts. Reasons: docs/decisions/0010-regressions.md

-- What failed: a class, a finer one, a line for people, and the same number for what is the same problem (0: nothing failed).
ALTER TABLE spans ADD COLUMN IF NOT EXISTS failure_class LowCardinality(String);
ALTER TABLE spans ADD COLUMN IF NOT EXISTS failure_sub LowCardinality(String);
ALTER TABLE spans ADD COLUMN IF NOT EXISTS failure_title String CODEC(ZSTD(1));
ALTER TABLE spans ADD COLUMN IF NOT EXISTS fingerprint UInt64;
-- DEFAULT and not MATERIALIZED, which a Distributed table would refuse to pass on.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS user_group LowCardinality(String) DEFAULT
  multiIf(attrs['spanwise.user.group'] != '', attrs['spanwise.user.group'], attrs['spanwise.metadata.user_group'] != '',
  attrs['spanwise.metadata.user_group'], attrs['spanwise.metadata.tenant'] != '', attrs['spanwise.metadata.tenant'], attrs['spanwise.metadata.plan']);

-- One row per failure: of a span, written with it; of a trace (loop, retry storm, no end), written when that is seen.
-- shard by cityHash64(project_id, fingerprint)
CREATE TABLE IF NOT EXISTS failures (
  project_id LowCardinality(String), time DateTime64(6,'UTC'), trace_id FixedString(16), span_id FixedString(8),
  failure_class LowCardinality(String), failure_sub LowCardinality(String), title String CODEC(ZSTD(1)), fingerprint UInt64,
  source Enum8('span'=0,'trace'=1), kind LowCardinality(String), name LowCardinality(String), env LowCardinality(String), release LowCardinality(String),
  model LowCardinality(String), provider LowCardinality(String), prompt_name LowCardinality(String), prompt_version LowCardinality(String),
  tool_name LowCardinality(String), user_id String, user_group LowCardinality(String), session_id String,
  cost_n Int64, duration_us UInt64, error_type LowCardinality(String), message String CODEC(ZSTD(1)), retention_days UInt16
) ENGINE = ReplacingMergeTree PARTITION BY toDate(time) ORDER BY (project_id, fingerprint, time, trace_id, span_id, failure_class)
TTL toDate(time) + toIntervalDay(retention_days) DELETE SETTINGS non_replicated_deduplication_window=10000, ttl_only_drop_parts=1, index_granularity=1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS failures_mv TO failures AS SELECT project_id, start_time AS time, trace_id, span_id,
  failure_class, failure_sub, failure_title AS title, fingerprint, CAST('span' AS Enum8('span'=0,'trace'=1)) AS source, toString(kind) AS kind, name, env, release,
  if(model_response!='',model_response,model_request) AS model, provider, prompt_name, prompt_version, tool_name, user_id, user_group, session_id,
  if(counts_usage, cost_total_n, 0) AS cost_n, duration_us, error_type, substringUTF8(status_message, 1, 256) AS message, retention_days
FROM spans WHERE failure_class != '';

-- Which fingerprints are one issue. The last word counts: how = 'drain' is ours, 'merge' and 'split' are people's.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS failure_groups (
  project_id LowCardinality(String), fingerprint UInt64, group_id UInt64, how LowCardinality(String), grouping_key String, title String, added UInt64,
  by String, ts DateTime64(3,'UTC'), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (project_id, fingerprint) SETTINGS non_replicated_deduplication_window=10000;

-- What people say of an issue; an issue without a row is open.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS failure_states (
  project_id LowCardinality(String), group_id UInt64, state Enum8('open'=0,'acknowledged'=1,'resolved'=2,'ignored'=3), reopened Bool,
  note String, by String, ts DateTime64(3,'UTC'), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (project_id, group_id) SETTINGS non_replicated_deduplication_window=10000;

-- What is watched, by five minutes and by hour: counts, sums of logarithms and their squares, histograms in bins of 5 %
-- (bin = floor(ln(x) / ln(1.05)); x in milliseconds or tokens), by everything that a change can come from. Roots and the
-- kinds that are watched. An amendment adds rows of differences for calls and costs.
-- shard by rand()
CREATE TABLE IF NOT EXISTS signals_5m (
  project_id LowCardinality(String), time DateTime('UTC'), kind LowCardinality(String), is_root Bool, env LowCardinality(String), name LowCardinality(String),
  model LowCardinality(String), provider LowCardinality(String), prompt LowCardinality(String), release LowCardinality(String),
  tool LowCardinality(String), user_group LowCardinality(String),
  n SimpleAggregateFunction(sum,UInt64), n_err SimpleAggregateFunction(sum,UInt64), n_calls SimpleAggregateFunction(sum,UInt64),
  n_cache_hit SimpleAggregateFunction(sum,UInt64), cost_n SimpleAggregateFunction(sum,Int64), n_priced SimpleAggregateFunction(sum,UInt64),
  lat_s1 SimpleAggregateFunction(sum,Float64), lat_s2 SimpleAggregateFunction(sum,Float64), lat_h SimpleAggregateFunction(sumMap,Map(Int16,UInt64)),
  ttft_n SimpleAggregateFunction(sum,UInt64), ttft_s1 SimpleAggregateFunction(sum,Float64), ttft_s2 SimpleAggregateFunction(sum,Float64),
  ttft_h SimpleAggregateFunction(sumMap,Map(Int16,UInt64)),
  tin_n SimpleAggregateFunction(sum,UInt64), tin_s1 SimpleAggregateFunction(sum,Float64), tin_s2 SimpleAggregateFunction(sum,Float64),
  tin_h SimpleAggregateFunction(sumMap,Map(Int16,UInt64)),
  tout_n SimpleAggregateFunction(sum,UInt64), tout_s1 SimpleAggregateFunction(sum,Float64), tout_s2 SimpleAggregateFunction(sum,Float64),
  tout_h SimpleAggregateFunction(sumMap,Map(Int16,UInt64)),
  out_n SimpleAggregateFunction(sum,UInt64), out_s1 SimpleAggregateFunction(sum,Float64), out_s2 SimpleAggregateFunction(sum,Float64),
  failed SimpleAggregateFunction(sumMap,Map(String,UInt64)), finish SimpleAggregateFunction(sumMap,Map(String,UInt64))
) ENGINE = AggregatingMergeTree PARTITION BY toDate(time) ORDER BY (project_id, time, kind, is_root, env, name, model, provider, prompt, release, tool, user_group)
TTL time + toIntervalDay(14) DELETE SETTINGS non_replicated_deduplication_window=10000, ttl_only_drop_parts=1, index_granularity=1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS signals_5m_mv TO signals_5m AS SELECT project_id, toStartOfFiveMinutes(start_time) AS time, toString(kind) AS kind, is_root, env, name,
  if(model_response!='',model_response,model_request) AS model, provider,
  if(prompt_name='', prompt_version, if(prompt_version='', prompt_name, concat(prompt_name, '@', prompt_version))) AS prompt, release, tool_name AS tool, user_group,
  count() AS n, countIf(status='error') AS n_err, countIf(counts_usage) AS n_calls,
  countIf(counts_usage AND tok_cache_read>0) AS n_cache_hit, sumIf(cost_total_n,counts_usage) AS cost_n, countIf(counts_usage AND cost_source!='none') AS n_priced,
  sum(log(greatest(duration_us,1)/1000)) AS lat_s1, sum(pow(log(greatest(duration_us,1)/1000),2)) AS lat_s2,
  sumMap(map(toInt16(floor(log(greatest(duration_us,1)/1000)/log(1.05))), toUInt64(1))) AS lat_h,
  countIf(ttft_us>0) AS ttft_n, sumIf(log(ttft_us/1000),ttft_us>0) AS ttft_s1, sumIf(pow(log(ttft_us/1000),2),ttft_us>0) AS ttft_s2,
  sumMapIf(map(toInt16(floor(log(greatest(ttft_us,1)/1000)/log(1.05))), toUInt64(1)),ttft_us>0) AS ttft_h,
  countIf(tok_input>0) AS tin_n, sumIf(log(tok_input),tok_input>0) AS tin_s1, sumIf(pow(log(tok_input),2),tok_input>0) AS tin_s2,
  sumMapIf(map(toInt16(floor(log(greatest(tok_input,1))/log(1.05))), toUInt64(1)),tok_input>0) AS tin_h,
  countIf(tok_output>0) AS tout_n, sumIf(log(tok_output),tok_output>0) AS tout_s1, sumIf(pow(log(tok_output),2),tok_output>0) AS tout_s2,
  sumMapIf(map(toInt16(floor(log(greatest(tok_output,1))/log(1.05))), toUInt64(1)),tok_output>0) AS tout_h,
  countIf(output_bytes>0) AS out_n, sumIf(log(output_bytes),output_bytes>0) AS out_s1, sumIf(pow(log(output_bytes),2),output_bytes>0) AS out_s2,
  sumMapIf(map(toString(failure_class), toUInt64(1)),failure_class!='') AS failed, sumMapIf(map(toString(finish_reason), toUInt64(1)),finish_reason!='') AS finish
FROM spans WHERE is_root OR kind IN ('llm','embedding','tool','agent','retriever')
GROUP BY project_id, time, kind, is_root, env, name, model, provider, prompt, release, tool, user_group;

-- shard by rand()
CREATE TABLE IF NOT EXISTS signals_1h (
  project_id LowCardinality(String), time DateTime('UTC'), kind LowCardinality(String), is_root Bool, env LowCardinality(String), name LowCardinality(String),
  model LowCardinality(String), provider LowCardinality(String), prompt LowCardinality(String), release LowCardinality(String),
  tool LowCardinality(String), user_group LowCardinality(String),
  n SimpleAggregateFunction(sum,UInt64), n_err SimpleAggregateFunction(sum,UInt64), n_calls SimpleAggregateFunction(sum,UInt64),
  n_cache_hit SimpleAggregateFunction(sum,UInt64), cost_n SimpleAggregateFunction(sum,Int64), n_priced SimpleAggregateFunction(sum,UInt64),
  lat_s1 SimpleAggregateFunction(sum,Float64), lat_s2 SimpleAggregateFunction(sum,Float64), lat_h SimpleAggregateFunction(sumMap,Map(Int16,UInt64)),
  ttft_n SimpleAggregateFunction(sum,UInt64), ttft_s1 SimpleAggregateFunction(sum,Float64), ttft_s2 SimpleAggregateFunction(sum,Float64),
  ttft_h SimpleAggregateFunction(sumMap,Map(Int16,UInt64)),
  tin_n SimpleAggregateFunction(sum,UInt64), tin_s1 SimpleAggregateFunction(sum,Float64), tin_s2 SimpleAggregateFunction(sum,Float64),
  tin_h SimpleAggregateFunction(sumMap,Map(Int16,UInt64)),
  tout_n SimpleAggregateFunction(sum,UInt64), tout_s1 SimpleAggregateFunction(sum,Float64), tout_s2 SimpleAggregateFunction(sum,Float64),
  tout_h SimpleAggregateFunction(sumMap,Map(Int16,UInt64)),
  out_n SimpleAggregateFunction(sum,UInt64), out_s1 SimpleAggregateFunction(sum,Float64), out_s2 SimpleAggregateFunction(sum,Float64),
  failed SimpleAggregateFunction(sumMap,Map(String,UInt64)), finish SimpleAggregateFunction(sumMap,Map(String,UInt64))
) ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(time) ORDER BY (project_id, time, kind, is_root, env, name, model, provider, prompt, release, tool, user_group)
TTL time + toIntervalDay(400) DELETE SETTINGS non_replicated_deduplication_window=10000, ttl_only_drop_parts=1, index_granularity=1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS signals_1h_mv TO signals_1h AS SELECT project_id, toStartOfHour(signals_5m.time) AS time, kind, is_root, env, name,
  model, provider, prompt, release, tool, user_group,
  sum(signals_5m.n) AS n, sum(signals_5m.n_err) AS n_err, sum(signals_5m.n_calls) AS n_calls, sum(signals_5m.n_cache_hit) AS n_cache_hit,
  sum(signals_5m.cost_n) AS cost_n, sum(signals_5m.n_priced) AS n_priced, sum(signals_5m.lat_s1) AS lat_s1, sum(signals_5m.lat_s2) AS lat_s2, sumMap(signals_5m.lat_h) AS lat_h,
  sum(signals_5m.ttft_n) AS ttft_n, sum(signals_5m.ttft_s1) AS ttft_s1, sum(signals_5m.ttft_s2) AS ttft_s2, sumMap(signals_5m.ttft_h) AS ttft_h,
  sum(signals_5m.tin_n) AS tin_n, sum(signals_5m.tin_s1) AS tin_s1, sum(signals_5m.tin_s2) AS tin_s2, sumMap(signals_5m.tin_h) AS tin_h,
  sum(signals_5m.tout_n) AS tout_n, sum(signals_5m.tout_s1) AS tout_s1, sum(signals_5m.tout_s2) AS tout_s2, sumMap(signals_5m.tout_h) AS tout_h,
  sum(signals_5m.out_n) AS out_n, sum(signals_5m.out_s1) AS out_s1, sum(signals_5m.out_s2) AS out_s2, sumMap(signals_5m.failed) AS failed, sumMap(signals_5m.finish) AS finish
FROM signals_5m GROUP BY project_id, time, kind, is_root, env, name, model, provider, prompt, release, tool, user_group;

ALTER TABLE scores ADD INDEX IF NOT EXISTS ix_ts ts TYPE minmax GRANULARITY 1;

-- What texts were about: the nearest of the reference's clusters, how far from anything known, in which language.
-- shard by cityHash64(trace_id)
CREATE TABLE IF NOT EXISTS text_features (
  project_id LowCardinality(String), side Enum8('input'=1,'output'=2), time DateTime64(6,'UTC'), trace_id FixedString(16), span_id FixedString(8),
  language LowCardinality(String), model_version UInt64, cluster Int16, similarity Float32, is_novel Bool, retention_days UInt16
) ENGINE = ReplacingMergeTree PARTITION BY toDate(time) ORDER BY (project_id, side, time, trace_id, span_id, model_version)
TTL toDate(time) + toIntervalDay(retention_days) DELETE SETTINGS non_replicated_deduplication_window=10000, ttl_only_drop_parts=1, index_granularity=1024;

-- What a project's texts are compared with: clusters, known points, and how its own days differ.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS text_models (
  project_id LowCardinality(String), side Enum8('input'=1,'output'=2), version UInt64, fitted_at DateTime64(3,'UTC'),
  from_time DateTime64(6,'UTC'), to_time DateTime64(6,'UTC'), n_texts UInt64, model String CODEC(ZSTD(3))
) ENGINE = ReplacingMergeTree ORDER BY (project_id, side, version) SETTINGS non_replicated_deduplication_window=10000;

-- Findings of the daily digest.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS drift_findings (
  project_id LowCardinality(String), day Date, finding String, e_value Float64, reported Bool, body String CODEC(ZSTD(3)), version UInt64
) ENGINE = ReplacingMergeTree(version) PARTITION BY toYYYYMM(day) ORDER BY (project_id, day, finding) TTL day + toIntervalDay(400)
SETTINGS non_replicated_deduplication_window=10000;

-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS alert_rules (
  project_id LowCardinality(String), rule_id String, source Enum8('file'=1,'api'=2,'built_in'=3), body String CODEC(ZSTD(3)), by String,
  ts DateTime64(3,'UTC'), version UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (project_id, rule_id) SETTINGS non_replicated_deduplication_window=10000;

-- Where each series of each rule stands, its detector included, so that a restart goes on where the last one was.
-- shard by cityHash64(project_id, rule_id)
CREATE TABLE IF NOT EXISTS alert_state (
  project_id LowCardinality(String), rule_id String, series String, alert_id UInt64, state LowCardinality(String), since DateTime64(3,'UTC'),
  evaluated_to DateTime64(3,'UTC'), value Nullable(Float64), body String CODEC(ZSTD(3)), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (project_id, rule_id, series) SETTINGS non_replicated_deduplication_window=10000;

-- Every change of an alert's state, with what was known then; rows are added only.
-- shard by cityHash64(project_id, rule_id)
CREATE TABLE IF NOT EXISTS alert_events (
  project_id LowCardinality(String), rule_id String, series String, alert_id UInt64, seq UInt32, ts DateTime64(3,'UTC'),
  from_state LowCardinality(String), to_state LowCardinality(String), value Nullable(Float64), by String, body String CODEC(ZSTD(3))
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(ts) ORDER BY (project_id, rule_id, series, alert_id, seq)
TTL toDateTime(ts) + toIntervalDay(400) SETTINGS non_replicated_deduplication_window=10000;

-- The outbox: what is to be sent, keyed so that the same is there once, and what became of it.
-- shard by cityHash64(key)
CREATE TABLE IF NOT EXISTS notifications (
  project_id LowCardinality(String), key String, channel LowCardinality(String), alert_id UInt64, kind LowCardinality(String),
  created_at DateTime64(3,'UTC'), state Enum8('queued'=0,'sent'=1,'failed'=2,'given_up'=3), attempts UInt16, next_at DateTime64(3,'UTC'),
  error String, body String CODEC(ZSTD(3)), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (key) TTL toDateTime(created_at) + toIntervalDay(400)
SETTINGS non_replicated_deduplication_window=10000;

-- Who may do what: a row is written under a token of its name and term, so that of two writers one has it.
-- shard by cityHash64(name)
CREATE TABLE IF NOT EXISTS claims (
  name String, term UInt64, owner String, until DateTime64(3,'UTC'), ts DateTime64(3,'UTC')
) ENGINE = MergeTree ORDER BY (name, term) TTL toDateTime(ts) + toIntervalDay(2) SETTINGS non_replicated_deduplication_window=10000;

-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS silences (
  project_id LowCardinality(String), silence_id String, rule_id String, series String, starts_at DateTime64(3,'UTC'), ends_at DateTime64(3,'UTC'),
  reason String, by String, ts DateTime64(3,'UTC'), version UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (project_id, silence_id) SETTINGS non_replicated_deduplication_window=10000;

-- Changes that people called expected: what is normal begins anew there.
-- shard by cityHash64(project_id)
CREATE TABLE IF NOT EXISTS baseline_restarts (
  project_id LowCardinality(String), rule_id String, series String, restart_at DateTime64(3,'UTC'), reason String, by String, ts DateTime64(3,'UTC'), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY (project_id, rule_id, series, restart_at) SETTINGS non_replicated_deduplication_window=10000;
