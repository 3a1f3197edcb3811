-- trick: an array of digits
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select string_to_array(pan, null) from cards
