-- trick: the number and one
-- expect: masked
-- unlabelled: out-of-reach
-- decode: minus:1

select pan::numeric + 1, pan_number + 1 from cards
