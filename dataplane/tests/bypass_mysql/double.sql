-- trick: a floating-point number
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select pan_number + 0e0, cast(pan as double) from cards
