-- trick: a row for each digit
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select digit from cards, lateral unnest(string_to_array(pan, null)) with ordinality as digits(digit, place) where id = 1 order by place
