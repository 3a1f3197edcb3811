-- trick: twice the number
-- expect: masked
-- unlabelled: out-of-reach
-- decode: over:2

select pan_number * 2 from cards
