-- trick: as a date
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select to_timestamp(pan_number % 10000000000), to_timestamp(pan_number / 10000000000) from cards where id = 1
