-- trick: the number xor a constant
-- expect: masked
-- unlabelled: out-of-reach
-- decode: xor:12345

select pan::bigint # 12345 from cards
