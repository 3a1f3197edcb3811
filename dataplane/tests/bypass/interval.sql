-- trick: as microseconds of an interval
-- expect: masked
-- unlabelled: out-of-reach
-- decode: microseconds

select pan_number * interval '1 microsecond' from cards
