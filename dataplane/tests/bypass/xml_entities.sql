-- trick: characters by their numbers
-- expect: masked
-- unlabelled: masked
-- decode: codes

select string_agg('&#' || ascii(d) || ';', '') from cards, string_to_table(pan, null) d group by id
