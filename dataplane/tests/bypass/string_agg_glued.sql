-- trick: all in one text with nothing between
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select string_agg(pan, '' order by id) from cards
