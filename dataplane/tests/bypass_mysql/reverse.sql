-- trick: backwards
-- expect: masked
-- unlabelled: out-of-reach
-- decode: reversed

select reverse(pan) from cards
