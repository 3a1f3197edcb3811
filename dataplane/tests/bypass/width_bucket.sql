-- trick: width_bucket
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select width_bucket(pan_number, 4000000000000000, 5000000000000000, 2000000000) from cards where id = 1
