-- trick: how long it is
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select length(pan), char_length(pan), bit_count(pan_number) from cards
