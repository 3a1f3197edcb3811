-- trick: twice as much
-- expect: masked
-- unlabelled: out-of-reach
-- decode: over:2

select pan_number * 2 from cards
