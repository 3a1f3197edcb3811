-- trick: the difference of two neighbours
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select pan_number - lag(pan_number) over (order by id) from cards where id < 3
