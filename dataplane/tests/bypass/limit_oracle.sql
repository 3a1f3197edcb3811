-- trick: as many rows as a digit says
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select generate_series(1, substr(pan, 2, 1)::int) from cards where id = 2
