-- trick: a bit string of the number
-- expect: masked
-- unlabelled: masked
-- decode: radix:2

select pan_number::bit(64) from cards
