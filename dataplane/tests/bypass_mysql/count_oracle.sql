-- trick: how many there are like it
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select 4 + count(*) from cards where id = 1 and pan like '4111%'
