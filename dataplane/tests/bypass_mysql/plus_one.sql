-- trick: one more
-- expect: masked
-- unlabelled: out-of-reach
-- decode: minus:1

select pan_number + 1 from cards
