-- trick: the code of each character
-- expect: masked
-- unlabelled: out-of-reach
-- decode: codes

select string_agg(ascii(digit)::text, ',') from cards, string_to_table(pan, null) digit group by id
