"""What a cache of answers in front of the models would have saved: repeated inputs, found in the engine.

`span_io` keeps a hash of each input with its system prompt and tools, and one that takes upper and lower case, digits
and white space for the same. Equal hashes are counted first, from 8 bytes a span; only repeated ones meet their spans.
Then each key's calls are walked in order: the first fills the cache, those within the life time of that entry are hits,
the next one fills it anew.

Min-hashes over shingles would find rewordings too. They cost 7 to 40 times as much per byte (docs/costs.md), and an
answer to a rewording is not known to be the right one.
"""

from math import ceil
from typing import Any, Final

from spanwise_collector.query.costs_source import IN_WINDOW, MODEL, CallFilter
from spanwise_collector.query.values import known_cost, time_of
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_costs import CacheMatch, CacheWhatIf, RepeatedInput

MAX_CALLS: Final = 2_000_000
"""Above this many calls only a share of the keys is looked at: every call of a key or none, so that rates hold."""
TOP: Final = 20
PREVIEW: Final = 160
_HASHES: Final[dict[CacheMatch, str]] = {"exact": "input_hash", "near": "near_hash"}
# A failed call has no answer to keep. Without a stored input nothing is known of repetition.
_ELIGIBLE: Final = "counts_usage AND kind IN ('llm', 'embedding') AND status != 'error' AND input_bytes > 0"
_VARIED: Final = "toFloat64OrZero(params['temperature']) > 0"
_SETTINGS: Final[dict[str, object]] = {"distributed_product_mode": "global"}

_ASSUMPTIONS: Final[dict[CacheMatch, tuple[str, ...]]] = {
    "exact": ("Two calls are the same when model, messages, system prompt and tools are the same, letter by letter.",),
    "near": (
        "Two calls are taken for the same when model, system prompt and tools are the same and the messages differ "
        "only in upper and lower case, digits and white space. “What is 6 times 7?” and “What is 8 times 9?” then "
        "share an answer: take this as an upper bound, and look at the inputs below.",
    ),
}
_COMMON: Final = (
    "The cache is empty at the start of the time range; an entry lives as long as chosen from the call that filled it, "
    "whatever hits it. It has room for everything.",
    "Hits cost nothing. A hit would answer at once: streamed answers would come in one piece.",
    "Calls with a temperature above 0 ask for answers that differ; a cache gives them the same one.",
)


def get_cache_what_if(
    reader: Reader,
    wanted: CallFilter,
    window: Window,
    *,
    match: CacheMatch,
    ttl_seconds: int,
    max_calls: int = MAX_CALLS,
    timeout_s: float = 30.0,
) -> CacheWhatIf:
    """Hits and savings of a cache over a window's calls.

    Args:
        reader: the store.
        wanted: which calls.
        window: any; bodies, and with them their hashes, are kept for 14 days.
        match: what counts as the same input.
        ttl_seconds: life time of an entry.
        max_calls: how many calls to look at at most, about.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    parameters = wanted.parameters(window)
    sql = (
        "SELECT count(), countIf(cost_source != 'none'), sumIf(cost_total_n, cost_source != 'none') "
        f"FROM spans WHERE {wanted.condition()} AND {_ELIGIBLE}"
    )
    [(calls, priced, cost)] = reader.query(sql, parameters, timeout_s=timeout_s).rows
    share = max(1, ceil(calls / max_calls))
    parameters |= {"ttl": ttl_seconds * 1_000_000, "share": share}
    sql = _hits_sql(wanted, _HASHES[match])
    rows = reader.query(sql, parameters, settings=_SETTINGS, timeout_s=timeout_s).dicts()
    total = (
        rows[0] if rows else dict.fromkeys(("all_hits", "all_saved", "all_unpriced", "all_streamed", "all_varied"), 0)
    )
    hits = total["all_hits"] * share
    return CacheWhatIf(
        start=time_of(window.start),
        end=time_of(window.end),
        match=match,
        ttl_seconds=ttl_seconds,
        sampled=1 / share,
        calls=calls,
        hits=hits,
        hit_rate=hits / calls if calls else None,
        cost_nanousd=known_cost(cost, priced),
        saved_nanousd=known_cost(total["all_saved"] * share, priced),
        unpriced_hits=total["all_unpriced"] * share,
        streamed_hits=total["all_streamed"] * share,
        varied_hits=total["all_varied"] * share,
        top=[_repeated(row) for row in rows],
        assumptions=[*_ASSUMPTIONS[match], *_COMMON],
    )


def _hits_sql(wanted: CallFilter, column: str) -> str:
    """SQL for the keys with hits, those that saved most first, each with the sums over all keys.

    State of the fold: when the entry was made, hits, saved, unpriced, streamed and varied hits. A call is its time,
    cost, and whether it is priced, streamed and varied.
    """
    io = f"FROM span_io WHERE {IN_WINDOW} AND {column} % {{share:UInt64}} = 0"
    repeated = f"SELECT {column} {io} GROUP BY {column} HAVING count() > 1"
    keyed = f"SELECT trace_id, span_id, {column} AS key {io} AND {column} IN ({repeated})"
    calls = (
        f"SELECT trace_id, span_id, toUnixTimestamp64Micro(start_time) AS at, {MODEL} AS model, name, input_preview, "
        f"if(cost_source = 'none', 0, cost_total_n) AS cost, toUInt64(cost_source = 'none') AS unpriced, "
        f"toUInt64(streaming OR ttft_us > 0) AS streamed, toUInt64({_VARIED}) AS varied "
        f"FROM spans WHERE {wanted.condition()} AND {_ELIGIBLE}"
    )
    step = (
        "if(x.1 < acc.1 + {ttl:Int64}, "
        "(acc.1, acc.2 + 1, acc.3 + x.2, acc.4 + x.3, acc.5 + x.4, acc.6 + x.5), "
        "(x.1, acc.2, acc.3, acc.4, acc.5, acc.6))"
    )
    empty = "(toInt64(-4e18), toUInt64(0), toInt64(0), toUInt64(0), toUInt64(0), toUInt64(0))"
    sums = ", ".join(
        f"sum(folded.{place}) OVER () AS all_{name}"
        for place, name in ((2, "hits"), (3, "saved"), (4, "unpriced"), (5, "streamed"), (6, "varied"))
    )
    return (
        "SELECT model, name, n_calls, folded.2 AS hits, folded.3 AS saved, folded.4 AS unpriced, preview, "
        f"first_trace, last_trace, {sums} FROM (SELECT model, any(name) AS name, count() AS n_calls, "
        f"arrayFold((acc, x) -> {step}, arraySort(groupArray((at, cost, unpriced, streamed, varied))), {empty}) "
        f"AS folded, argMin(substringUTF8(input_preview, 1, {PREVIEW}), at) AS preview, "
        "argMin(trace_id, at) AS first_trace, argMax(trace_id, at) AS last_trace "
        f"FROM ({calls}) AS c INNER JOIN ({keyed}) AS k ON c.trace_id = k.trace_id AND c.span_id = k.span_id "
        "GROUP BY k.key, model HAVING n_calls > 1) WHERE folded.2 > 0 "
        f"ORDER BY saved DESC, hits DESC, first_trace LIMIT {TOP}"
    )


def _repeated(row: dict[str, Any]) -> RepeatedInput:
    return RepeatedInput(
        model=row["model"],
        name=row["name"],
        calls=row["n_calls"],
        hits=row["hits"],
        saved_nanousd=known_cost(row["saved"], row["hits"] - row["unpriced"]),
        preview=row["preview"],
        example_trace_id=row["first_trace"].hex(),
        last_trace_id=row["last_trace"].hex(),
    )
