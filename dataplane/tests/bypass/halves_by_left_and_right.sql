-- trick: left and right
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select left(pan, 8), right(pan, -8) from cards where id = 1
