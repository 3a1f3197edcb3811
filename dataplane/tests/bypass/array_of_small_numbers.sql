-- trick: an array of small numbers
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select array(select d::int2 from string_to_table(pan, null) d) from cards
