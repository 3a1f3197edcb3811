-- trick: a count for each guess
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select guess, (select count(*) from cards where id = 1 and pan like '%' || guess || '1') from generate_series(0, 9) guess
