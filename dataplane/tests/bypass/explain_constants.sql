-- trick: EXPLAIN with constants folded in
-- expect: masked
-- unlabelled: masked
-- decode: digits

explain (verbose, costs off) select * from cards where pan = (select '4111' || '111111111111')

explain (analyze, verbose, costs off, timing off, summary off) select 4111111111111111 from cards
