-- trick: how many there are like it
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select count(*) from cards where id = 1 and pan like '4111%'
