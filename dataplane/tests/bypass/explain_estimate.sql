-- trick: row estimates of a guess
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

explain (analyze, costs off, timing off, summary off) select 1 from cards where pan like '4111%'
