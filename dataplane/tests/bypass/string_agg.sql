-- trick: all in one text
-- expect: masked
-- unlabelled: masked
-- decode: digits

select string_agg(pan, ','), string_agg(pan, E'\n') from cards
