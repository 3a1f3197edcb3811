-- trick: split_part around a digit
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select split_part(overlay(pan placing '-' from 9 for 0), '-', 1), split_part(overlay(pan placing '-' from 9 for 0), '-', 2) from cards where id = 1
