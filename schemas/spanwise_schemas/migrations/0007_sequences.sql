-- Which numbers of a producer's records have arrived, so that those that have not can be named, however often others were sent again.
-- `seq_list` is what a batch inserts; the bitmap is stored, and how many of `n_records` are in it. Rows of before have none.
ALTER TABLE producers ADD COLUMN IF NOT EXISTS seq_list Array(UInt64) EPHEMERAL [];
ALTER TABLE producers ADD COLUMN IF NOT EXISTS seqs AggregateFunction(groupBitmap, UInt64) DEFAULT arrayReduce('groupBitmapState', seq_list);
ALTER TABLE producers ADD COLUMN IF NOT EXISTS n_numbered SimpleAggregateFunction(sum,UInt64) DEFAULT length(seq_list);

-- Merges go column by column from the first row on: they need tens of megabytes instead of hundreds, which the embedded engine takes from
-- the collector's memory. Figures: docs/decisions/0002-tables.md
ALTER TABLE spans MODIFY SETTING vertical_merge_algorithm_min_rows_to_activate=1, vertical_merge_algorithm_min_columns_to_activate=1;
ALTER TABLE span_io MODIFY SETTING vertical_merge_algorithm_min_rows_to_activate=1, vertical_merge_algorithm_min_columns_to_activate=1;
